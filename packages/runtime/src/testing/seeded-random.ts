import { utf8Encode } from "../bytes.ts";
import type { Random } from "../random.ts";
import { Sfc32 } from "./sfc32.ts";

const WARM_UP_DRAWS = 12;

/** Numbers determined by a seed. Forks depend on the seed and their label alone, never on what has been drawn. */
export class SeededRandom extends Sfc32 implements Random {
  /** What this source was made from, for messages: `7`, `7/disk`. */
  readonly seed: string;

  constructor(seed: number | string) {
    const bytes = utf8Encode(String(seed));
    super(hash(bytes, 1), hash(bytes, 2), hash(bytes, 3), WARM_UP_DRAWS);
    this.seed = String(seed);
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
