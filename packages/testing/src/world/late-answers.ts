import { type Clock, type Random, randomInteger, sleep } from "@karst/runtime";

/**
 * Answers of the store that come late, out of order, and after their caller has given up: what was on its way when a call is aborted
 * may still arrive.
 */
export class LateAnswers {
  /** Longest delay; 0: none. */
  msMax = 0;
  readonly #clock: Clock;
  readonly #random: Random;
  #count = 0;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Answers held up so far. */
  get count(): number {
    return this.#count;
  }

  /** Resolves when the answer to a get of this key comes. */
  async arrived(key: string): Promise<void> {
    if (this.msMax === 0 || !key.startsWith("objects/")) return;
    this.#count += 1;
    await sleep(this.#clock, randomInteger(this.#random, 1, this.msMax));
  }
}
