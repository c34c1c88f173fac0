/** A pending call; cancelling one that has already run does nothing. */
export interface Timer {
  cancel(): void;
}

/** Time and its passing. Nothing that decides an acknowledgement may rest on it: clocks are for liveness. */
export interface Clock {
  /** Wall clock, milliseconds since 1970 (UTC). May jump either way: for record timestamps and retention only. */
  wallMs(): number;
  /** Monotonic clock, milliseconds from an arbitrary origin, with a fraction. For durations and deadlines. */
  monotonicMs(): number;
  /** Calls `fn` once, `delayMs` ≥ 0 from now. Any finite delay is legal, also above 2³¹ ms. Does not keep the process alive. */
  setTimer(delayMs: number, fn: () => void): Timer;
  /** Calls `fn` once, after the I/O events that are already pending (`setImmediate`). Keeps the process alive. */
  defer(fn: () => void): void;
}

/**
 * Resolves after `delayMs`.
 *
 * @throws the signal's reason, as soon as it aborts; the listener is removed either way.
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason as Error);
    };
    const timer = clock.setTimer(delayMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
