import { utf8Encode } from "../bytes.ts";
import type { Random } from "../random.ts";

/** Draws thrown away after seeding, so that similar seeds do not begin alike. */
const WARM_UP_DRAWS = 12;

/** Numbers determined by a seed (sfc32). Forks depend on the seed and their label alone, never on what has been drawn. */
export class SeededRandom implements Random {
  /** What this source was made from, for messages: `7`, `7/disk`. */
  readonly seed: string;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number | string) {
    this.seed = String(seed);
    const bytes = utf8Encode(this.seed);
    this.#a = hash(bytes, 1);
    this.#b = hash(bytes, 2);
    this.#c = hash(bytes, 3);
    for (let i = 0; i < WARM_UP_DRAWS; i += 1) this.u32();
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

  fork(label: string): SeededRandom {
    return new SeededRandom(`${this.seed}/${label}`);
  }
}

/** FNV-1a from a varied start, its bits mixed once more. */
function hash(bytes: Uint8Array, variant: number): number {
  let state = Math.imul(0x811c9dc5, variant);
  for (const byte of bytes) state = Math.imul(state ^ byte, 0x01000193);
  state = Math.imul(state ^ (state >>> 16), 0x7feb352d);
  state = Math.imul(state ^ (state >>> 15), 0x846ca68b);
  return (state ^ (state >>> 16)) | 0;
}
