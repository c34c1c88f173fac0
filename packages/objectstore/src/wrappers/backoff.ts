import { type Clock, type Random, sleep } from "@karst/runtime";
import type { RetryLimits } from "../limits.ts";

/**
 * The tries of one call. A try that is under way at the deadline is aborted through `signal`.
 *
 * Owns a timer: `end` must be called.
 */
export class Backoff {
  /** The caller's signal and the deadline. */
  readonly signal: AbortSignal;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #limits: RetryLimits;
  readonly #deadline: AbortController = new AbortController();
  readonly #end: () => void;
  #attempts = 1;

  constructor(options: {
    readonly clock: Clock;
    readonly random: Random;
    readonly limits: RetryLimits;
    readonly signal: AbortSignal | undefined;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#limits = options.limits;
    const deadline = this.#deadline;
    this.signal =
      options.signal === undefined
        ? deadline.signal
        : AbortSignal.any([options.signal, deadline.signal]);
    const timer = options.clock.setTimer(options.limits.deadlineMs, () =>
      deadline.abort(new Error("the deadline has passed")),
    );
    this.#end = () => timer.cancel();
  }

  /** Counts a try and pauses before it. @returns false, at once or during the pause, when there is to be none. */
  async again(): Promise<boolean> {
    if (this.#attempts >= this.#limits.attempts || this.signal.aborted) return false;
    const pauseMs = backoffMs(this.#attempts, this.#limits, this.#random);
    this.#attempts += 1;
    try {
      await sleep(this.#clock, pauseMs, this.signal);
      return true;
    } catch {
      // Only the signal ends a sleep: the caller reports what the last try met.
      return false;
    }
  }

  end(): void {
    this.#end();
  }
}

/** Uniform in [0, min(max, min · 2^(attempt−1))). */
export function backoffMs(attempt: number, limits: RetryLimits, random: Random): number {
  const ceiling = Math.min(limits.backoffMsMax, limits.backoffMsMin * 2 ** (attempt - 1));
  return (random.u32() / 0x1_0000_0000) * ceiling;
}
