import { runtimeError } from "./errors.ts";

/**
 * The bytes an engine may hold, counted over all holders. Reserving is refused *before* anything is buffered.
 *
 * Invariant: 0 ≤ reservedBytes; reservations over the limit are refused, so reservedBytes ≤ limitBytes.
 */
export class MemoryBudget {
  readonly limitBytes: number;
  #reservedBytes = 0;

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
