import { randomFillSync } from "node:crypto";
import type { Random } from "../random.ts";

const POOL_WORDS = 1024;

/** The system's generator. Its forks are itself: there is no seed to tell them apart. */
export const nodeRandom: Random = {
  u32() {
    if (unused === 0) {
      randomFillSync(pool);
      unused = POOL_WORDS;
    }
    unused -= 1;
    return pool[unused] as number;
  },
  bytes: (length) => randomFillSync(new Uint8Array(length)),
  fork: () => nodeRandom,
};

const pool = new Uint32Array(POOL_WORDS);
let unused = 0;
