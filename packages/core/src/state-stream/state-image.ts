import { assert, type MemoryShare } from "@karst/runtime";
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
 * Invariants: `bytes` is the sum over all entries of twice the key, the value and `STATE_ENTRY_OVERHEAD_BYTES`; its share of the memory
 * budget holds as many.
 */
export class StateImage {
  readonly #memory: MemoryShare;
  readonly #entries = new Map<string, StateEntry>();
  #bytes = 0;

  /** @param memory becomes the image's own. */
  constructor(memory: MemoryShare) {
    this.#memory = memory;
  }

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
    const changed = new Map<string, number>();
    let growth = 0;
    for (const { key, value } of changes) {
      const text = textOf(key);
      const known = this.#entries.get(text);
      const before = changed.get(text) ?? (known === undefined ? 0 : bytesOf(known));
      const after = value === undefined ? 0 : bytesOf({ key, value });
      growth += after - before;
      changed.set(text, after);
    }
    return growth;
  }

  /**
   * Makes the changes once they are on record, keeping copies.
   *
   * @param growth of these changes.
   * @throws KarstError `MEMORY_BUDGET_EXCEEDED` (`unavailable`), and what `record` throws; then nothing has changed.
   */
  change(changes: readonly StateChange[], growth: number, record?: () => void): void {
    if (growth > 0) this.#memory.take(growth);
    try {
      record?.();
    } catch (error) {
      if (growth > 0) this.#memory.give(growth);
      throw error;
    }
    this.#apply(changes);
    if (growth < 0) this.#memory.give(-growth);
    assert(this.#memory.bytes === this.#bytes, "a state's memory is not what it holds");
  }

  /** Forgets everything. */
  close(): void {
    this.#entries.clear();
    this.#bytes = 0;
    this.#memory.close();
  }

  #apply(changes: readonly StateChange[]): void {
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
  // A key is there as bytes and as text.
  return 2 * key.length + value.length + STATE_ENTRY_OVERHEAD_BYTES;
}

/** One character per byte: what a `Map` compares. */
function textOf(key: Uint8Array): string {
  let text = "";
  for (const byte of key) text += String.fromCharCode(byte);
  return text;
}
