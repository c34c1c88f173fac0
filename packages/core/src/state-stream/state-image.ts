import { STATE_ENTRY_OVERHEAD_BYTES } from "./limits.ts";
import type { StateChange } from "./state-changes.ts";

export interface StateEntry {
  /** Not to be modified. */
  readonly key: Uint8Array;
  /** Not to be modified. */
  readonly value: Uint8Array;
}

/**
 * Keys and their values after the writes so far.
 *
 * Invariant: `bytes` is the sum over all entries of key, value and `STATE_ENTRY_OVERHEAD_BYTES`.
 */
export class StateImage {
  readonly #entries = new Map<string, StateEntry>();
  #bytes = 0;

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#entries.get(textOf(key))?.value;
  }

  /**
   * In the order in which keys came. Live: an entry that is there all the while comes before every one that is added during the
   * iteration.
   */
  entries(): IterableIterator<StateEntry> {
    return this.#entries.values();
  }

  /** How many bytes these changes would add; negative where they free some. */
  growth(changes: readonly StateChange[]): number {
    let growth = 0;
    for (const { key, value } of changes) {
      const known = this.#entries.get(textOf(key));
      if (known !== undefined) growth -= bytesOf(known);
      if (value !== undefined) growth += bytesOf({ key, value });
    }
    return growth;
  }

  /** Takes copies of what it keeps. */
  apply(changes: readonly StateChange[]): void {
    for (const { key, value } of changes) {
      const text = textOf(key);
      const known = this.#entries.get(text);
      if (known !== undefined) this.#bytes -= bytesOf(known);
      if (value === undefined) {
        this.#entries.delete(text);
        continue;
      }
      const entry = { key: known?.key ?? key.slice(), value: value.slice() };
      this.#entries.set(text, entry);
      this.#bytes += bytesOf(entry);
    }
  }
}

function bytesOf({ key, value }: StateEntry): number {
  return key.length + value.length + STATE_ENTRY_OVERHEAD_BYTES;
}

/** One character per byte: what a `Map` compares. */
function textOf(key: Uint8Array): string {
  let text = "";
  for (const byte of key) text += String.fromCharCode(byte);
  return text;
}
