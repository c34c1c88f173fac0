import { type MemoryShare, runtimeError } from "@karst/runtime";

/**
 * The memory of all groups of a coordinator: what is on record has to find room in the engine's budget alone, what comes after it
 * (from `limit` on) stays below a bound of its own too.
 */
export class GroupMemory {
  readonly #share: MemoryShare;
  #bytesMax = Infinity;

  /** @param share becomes its own. */
  constructor(share: MemoryShare) {
    this.#share = share;
  }

  /** From now on nothing grows above `bytesMax`. */
  limit(bytesMax: number): void {
    this.#bytesMax = bytesMax;
  }

  /** Takes memory that is used next. @throws KarstError `MEMORY_BUDGET_EXCEEDED` (`unavailable`), with nothing taken. */
  take(bytes: number): void {
    if (bytes === 0) return;
    const held = this.#share.bytes;
    if (held + bytes > this.#bytesMax) {
      throw runtimeError(
        "MEMORY_BUDGET_EXCEEDED",
        `groups take ${held} bytes; at most ${this.#bytesMax} are allowed`,
      );
    }
    this.#share.take(bytes);
  }

  give(bytes: number): void {
    this.#share.give(bytes);
  }

  /** Gives everything back; nothing can be taken any more. */
  close(): void {
    this.#share.close();
  }
}
