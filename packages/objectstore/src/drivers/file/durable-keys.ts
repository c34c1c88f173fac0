import { DURABLE_KEYS_MAX } from "../../limits.ts";

/** How this instance's own change of a name ended. */
export type ChangeEnd =
  /** The name has an object of so many bytes, durably. */
  | { readonly tag: "durable"; readonly bytes: number }
  /** The name is as it was. */
  | { readonly tag: "unchanged" }
  /** Whatever it has now may not be durable. */
  | { readonly tag: "unsure" };

/**
 * Objects whose name and bytes this instance knows to be durable, so that it need not sync their directory to say so.
 *
 * Invariants: an entry was seen, with its size, before a sync of its directory that succeeded, and this instance has not
 * changed the key since; while it changes one, nothing is known of it. Objects do not change; what *another process* replaces, or
 * deletes and creates anew, with an object of the same size is the one case that is not noticed.
 */
export class DurableKeys {
  /** Oldest use first. */
  readonly #bytes: Map<string, number> = new Map();
  readonly #changing: Map<string, { changes: number; overlapped: boolean }> = new Map();
  #mark = 0;

  /** Grows with every change: what was seen at an older mark is not entered any more. */
  get mark(): number {
    return this.#mark;
  }

  has(key: string, bytes: number): boolean {
    if (this.#bytes.get(key) !== bytes || this.#changing.has(key)) return false;
    this.#enter(key, bytes);
    return true;
  }

  /** Whether the name was durable before this instance's change of it that is under way, whatever object it had. */
  hasName(key: string): boolean {
    return this.#bytes.has(key);
  }

  /** Enters what was seen since `mark`, before a sync that has succeeded. */
  add(key: string, bytes: number, mark: number): void {
    if (mark === this.#mark && !this.#changing.has(key)) this.#enter(key, bytes);
  }

  /** Before the key's object is created, replaced or removed. */
  beginChange(key: string): void {
    this.#mark += 1;
    const changing = this.#changing.get(key);
    if (changing === undefined) this.#changing.set(key, { changes: 1, overlapped: false });
    else {
      changing.changes += 1;
      changing.overlapped = true;
    }
  }

  endChange(key: string, end: ChangeEnd): void {
    this.#mark += 1;
    const changing = this.#changing.get(key) ?? { changes: 1, overlapped: true };
    changing.changes -= 1;
    if (changing.changes === 0) this.#changing.delete(key);
    if (end.tag === "unchanged") return;
    // Of changes at the same time it is open which one the name has now.
    if (end.tag === "durable" && !changing.overlapped) this.#enter(key, end.bytes);
    else this.#bytes.delete(key);
  }

  #enter(key: string, bytes: number): void {
    this.#bytes.delete(key);
    this.#bytes.set(key, bytes);
    const oldest = this.#bytes.keys().next();
    if (this.#bytes.size > DURABLE_KEYS_MAX && oldest.done !== true)
      this.#bytes.delete(oldest.value);
  }
}
