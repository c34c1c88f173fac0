import { runtimeError } from "./errors.ts";
import type { MemoryBudget } from "./memory-budget.ts";

/**
 * What one holder has of a memory budget. It goes before what is kept only because it may be read again.
 *
 * Invariants: `bytes` are reserved in the budget, and are never below 0. After `close` it has none, and gets none.
 */
export class MemoryShare {
  readonly #memory: MemoryBudget;
  readonly #holder: string;
  #bytes = 0;
  #closed = false;

  /** @param holder for the text of errors. */
  constructor(memory: MemoryBudget, holder: string) {
    this.#memory = memory;
    this.#holder = holder;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @returns false, with nothing taken, where the bytes are not there or it is closed. */
  tryTake(bytes: number): boolean {
    if (this.#closed || !this.#memory.tryReserveEvicting(bytes)) return false;
    this.#bytes += bytes;
    return true;
  }

  /** @throws KarstError `MEMORY_BUDGET_EXCEEDED` (`unavailable`), with nothing taken. */
  take(bytes: number): void {
    if (this.tryTake(bytes)) return;
    const { limitBytes, freeBytes } = this.#memory;
    throw runtimeError(
      "MEMORY_BUDGET_EXCEEDED",
      `${this.#holder} needs ${bytes} bytes beside its ${this.#bytes}, ${freeBytes} of ${limitBytes} are free`,
    );
  }

  /** Gives bytes back; once it is closed they have been. */
  give(bytes: number): void {
    if (this.#closed) return;
    if (bytes > this.#bytes)
      throw runtimeError("ASSERTION_FAILED", `${this.#holder} gives back more than it has`);
    this.#bytes -= bytes;
    this.#memory.release(bytes);
  }

  /** Gives everything back. */
  close(): void {
    this.give(this.#bytes);
    this.#closed = true;
  }
}
