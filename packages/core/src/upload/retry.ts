import { type Clock, type Random, sleep } from "@karst/runtime";
import { RETRY_MS_MAX, RETRY_MS_MIN } from "../limits.ts";

/** Pauses between tries of what is tried until it succeeds: they grow, with jitter, up to a bound. */
export class Retry {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #signal: AbortSignal;
  #tries = 0;

  constructor(options: {
    readonly clock: Clock;
    readonly random: Random;
    readonly signal: AbortSignal;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#signal = options.signal;
  }

  get tries(): number {
    return this.#tries;
  }

  /** @throws the signal's reason, when it aborts. */
  async pause(): Promise<void> {
    const ceiling = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(this.#tries, 16));
    this.#tries += 1;
    await sleep(this.#clock, ceiling * (0.5 + this.#random.u32() / 0x2_0000_0000), this.#signal);
  }
}
