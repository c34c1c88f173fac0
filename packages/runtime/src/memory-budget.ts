import { runtimeError } from "./errors.ts";

/**
 * The bytes an engine may hold, counted over all holders. Reserving is refused *before* anything is buffered.
 *
 * Invariant: 0 ≤ reservedBytes; reservations over the limit are refused, so reservedBytes ≤ limitBytes.
 */
export class MemoryBudget {
  readonly limitBytes: number;
  #reservedBytes = 0;
  #evict: () => boolean = () => false;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get reservedBytes(): number {
    return this.#reservedBytes;
  }

  get freeBytes(): number {
    return this.limitBytes - this.#reservedBytes;
  }

  /** Takes `bytes` if they are free. */
  tryReserve(bytes: number): boolean {
    if (bytes > this.freeBytes) return false;
    this.#reservedBytes += bytes;
    return true;
  }

  /** @param evict frees something that is kept only because it may be read again; false: there is nothing. */
  evictWith(evict: () => boolean): void {
    this.#evict = evict;
  }

  /** Frees something that is kept only because it may be read again; false: there is nothing. */
  evict(): boolean {
    return this.#evict();
  }

  /** Whether `bytes` are free, after evicting what was needed. Reserves nothing. */
  makeRoom(bytes: number): boolean {
    while (bytes > this.freeBytes) {
      if (bytes > this.limitBytes || !this.#evict()) return false;
    }
    return true;
  }

  /** As `tryReserve`, at the cost of what is kept only because it may be read again. */
  tryReserveEvicting(bytes: number): boolean {
    return this.makeRoom(bytes) && this.tryReserve(bytes);
  }

  /** @throws KarstError `MEMORY_BUDGET_EXCEEDED` (`unavailable`), with nothing taken. */
  reserve(bytes: number, holder: string): void {
    if (this.tryReserve(bytes)) return;
    throw runtimeError(
      "MEMORY_BUDGET_EXCEEDED",
      `${holder} needs ${bytes} bytes, ${this.freeBytes} of ${this.limitBytes} are free`,
    );
  }

  release(bytes: number): void {
    this.#reservedBytes -= bytes;
    if (this.#reservedBytes < 0)
      throw runtimeError("ASSERTION_FAILED", "released more than was reserved");
  }
}
