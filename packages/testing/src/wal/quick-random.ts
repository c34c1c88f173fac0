import { type Random, randomInteger } from "@karst/runtime";
import { Sfc32 } from "@karst/runtime/testing";

const WARM_UP_DRAWS = 8;

/** Numbers determined by two words: as good as a seeded random's, and made in a fraction of the time, a million times a run. */
export class QuickRandom extends Sfc32 implements Random {
  readonly #seed: readonly [number, number];

  constructor(a: number, b: number) {
    super(a, b, 0x9e3779b9, WARM_UP_DRAWS);
    this.#seed = [a | 0, b | 0];
  }

  fork(label: string): QuickRandom {
    let state = 0x811c9dc5;
    for (let i = 0; i < label.length; i += 1)
      state = Math.imul(state ^ label.charCodeAt(i), 0x01000193);
    const [a, b] = this.#seed;
    return new QuickRandom(a ^ state, Math.imul(b ^ state, 0x7feb352d));
  }

  integer(min: number, max: number): number {
    return randomInteger(this, min, max);
  }

  chance(percent: number): boolean {
    return this.integer(0, 99) < percent;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.integer(0, values.length - 1)] as T;
  }
}
