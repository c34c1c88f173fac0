/** A source of random numbers. A seeded one replays: every component forks its own, so that a new draw in one does not shift the others. */
export interface Random {
  /** Uniform in [0, 2³²). */
  u32(): number;
  /** `length` fresh bytes, owned by the caller. */
  bytes(length: number): Uint8Array;
  /** An independent source, determined by this one's seed and the label. */
  fork(label: string): Random;
}

/** Uniform integer in [min, max], both safe integers with max − min < 2³². */
export function randomInteger(random: Random, min: number, max: number): number {
  const span = max - min + 1;
  return min + Math.floor((random.u32() / 0x1_0000_0000) * span);
}

/** 128 random bits in lower-case hex: 32 characters. Used for every minted id. */
export function randomId(random: Random): string {
  let id = "";
  for (const byte of random.bytes(16)) id += byte.toString(16).padStart(2, "0");
  return id;
}
