import { objectStoreError } from "./errors.ts";

/**
 * Whether a store still takes calls, and which it has not answered.
 *
 * Invariants: after `close` no call enters; `close` resolves once the calls that had entered have left.
 */
export class Lifecycle {
  readonly #location: string;
  readonly #running: Set<Promise<unknown>> = new Set();
  #closed = false;

  constructor(location: string) {
    this.#location = location;
  }

  /** @throws KarstError `STORE_CLOSED` (`closed`). */
  check(): void {
    if (this.#closed) throw objectStoreError("STORE_CLOSED", `${this.#location} is closed`);
  }

  /** Runs a call unless the store is closed or the signal has aborted, which certainly had no effect. */
  async run<T>(signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> {
    this.check();
    refuseAborted(signal);
    const running = call();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#running);
  }
}

/** @throws KarstError `UNAVAILABLE` (`unavailable`), the signal's reason as cause, if it has aborted. */
export function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true)
    throw objectStoreError("UNAVAILABLE", "aborted by the caller, with no effect", signal.reason);
}
