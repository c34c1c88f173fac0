import type { Clock, Timer } from "@karst/runtime";

/** A device's: each of its steps follows at once. */
export const stepAtOnce: Clock = {
  wallMs: () => 0,
  monotonicMs: () => 0,
  setTimer: (_delayMs, fn) => {
    fn();
    return { cancel: () => undefined };
  },
  defer: (fn) => fn(),
};

/**
 * A clock on which deferred calls are microtasks and time stands still: one real turn finishes whatever waits for no timer. For
 * openings by the million.
 */
export class InstantClock implements Clock {
  #timers = new Set<() => void>();

  wallMs(): number {
    return 1_704_067_200_000;
  }

  monotonicMs(): number {
    return 1_000;
  }

  setTimer(_delayMs: number, fn: () => void): Timer {
    const timer = (): void => fn();
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  defer(fn: () => void): void {
    queueMicrotask(fn);
  }

  /** Everything that has been set so far falls due. */
  runTimers(): void {
    const due = this.#timers;
    this.#timers = new Set();
    for (const fn of due) fn();
  }

  clear(): void {
    this.#timers.clear();
  }
}
