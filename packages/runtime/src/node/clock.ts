import type { Clock, Timer } from "../clock.ts";

/** `setTimeout` fires at once for longer delays, so that they are waited for in pieces. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** The process's clocks. A timer never fires before its delay has passed on the monotonic clock. */
export const nodeClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, fn) {
    if (!Number.isFinite(delayMs))
      throw new TypeError(`a timer's delay must be finite, not ${delayMs}`);
    return new NodeTimer(performance.now() + delayMs, fn);
  },
  defer(fn) {
    setImmediate(fn);
  },
};

class NodeTimer implements Timer {
  readonly #dueMs: number;
  readonly #fn: () => void;
  #timeout: NodeJS.Timeout | undefined;

  constructor(dueMs: number, fn: () => void) {
    this.#dueMs = dueMs;
    this.#fn = fn;
    this.#arm(dueMs - performance.now());
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }

  #arm(remainingMs: number): void {
    const delayMs = Math.min(Math.max(Math.ceil(remainingMs), 0), TIMEOUT_MS_MAX);
    this.#timeout = setTimeout(() => this.#wake(), delayMs);
    this.#timeout.unref();
  }

  #wake(): void {
    const remainingMs = this.#dueMs - performance.now();
    if (remainingMs > 0) this.#arm(remainingMs);
    else this.#fn();
  }
}
