import type { MemoryBudget } from "@karst/runtime";

/**
 * The bytes of request frames held over all connections, inside the engine's memory budget.
 *
 * Above half of the limit it is `crowded`: connections stop reading at the end of their frame and go on when it has thinned out; frames
 * that have begun may use the other half. What does not fit there is refused, and its connection closes.
 *
 * Invariant: heldBytes ≤ limitBytes, and the engine's budget has them reserved.
 */
export class RequestMemory {
  readonly #memory: MemoryBudget;
  readonly #limitBytes: number;
  readonly #waiting = new Set<() => void>();
  #heldBytes = 0;

  constructor(memory: MemoryBudget, limitBytes: number) {
    this.#memory = memory;
    this.#limitBytes = limitBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  get crowded(): boolean {
    return this.#heldBytes * 2 > this.#limitBytes;
  }

  tryReserve(bytes: number): boolean {
    if (this.#heldBytes + bytes > this.#limitBytes) return false;
    if (!this.#memory.tryReserveEvicting(bytes)) return false;
    this.#heldBytes += bytes;
    return true;
  }

  release(bytes: number): void {
    if (bytes === 0) return;
    this.#heldBytes -= bytes;
    this.#memory.release(bytes);
    if (this.crowded || this.#waiting.size === 0) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const proceed of waiting) proceed();
  }

  /** Calls `proceed` once when it is crowded no more. Returns what takes it back. */
  whenThinned(proceed: () => void): () => void {
    this.#waiting.add(proceed);
    return () => this.#waiting.delete(proceed);
  }
}
