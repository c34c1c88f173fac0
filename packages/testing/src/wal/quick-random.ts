import { type Random, randomInteger } from "@karst/runtime";

/** Numbers determined by two words (sfc32): as good as a seeded random's, and made in a fraction of the time, a million times a run. */
export class QuickRandom implements Random {
  readonly #seed: readonly [number, number];
  #a: number;
  #b: number;
  #c = 0x9e3779b9;
  #counter = 1;

  constructor(a: number, b: number) {
    this.#seed = [a | 0, b | 0];
    this.#a = a | 0;
    this.#b = b | 0;
    for (let i = 0; i < 8; i += 1) this.u32();
  }

  u32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i += 1) bytes[i] = this.u32() >>> 24;
    return bytes;
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
