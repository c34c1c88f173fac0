import type { Seeded } from "../seeded.ts";

/** Bytes of an input at most. */
const BYTES_MAX = 8 * 1024;

const EXTREMES: readonly (readonly number[])[] = [
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0x80, 0, 0, 0, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0, 0, 0],
  [0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0, 0x20, 0, 0, 0, 0, 0, 0],
  [0xff, 0xff, 0xff, 0xff],
  [0x7f, 0xff, 0xff, 0xff],
  [0x80, 0, 0, 0],
  [0x40, 0, 0, 0],
  [0, 0x10, 0, 0],
  [0, 0, 0, 0],
  [0, 0, 0, 1],
  [0xff, 0xff],
  [0x7f, 0xff],
  [0x80, 0],
  [0, 0],
  // Varints: of 32 and 64 bits, too long, without end.
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0x7f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80],
  [0x80, 0x00],
];

/** One to four changes of `bytes`, which stays as it is; `other` gives parts. */
export function mutate(bytes: Uint8Array, other: Uint8Array, random: Seeded): Uint8Array {
  let changed = Uint8Array.from(bytes);
  for (let n = random.integer(1, 4); n > 0; n -= 1) changed = once(changed, other, random);
  return changed;
}

function once(
  bytes: Uint8Array<ArrayBuffer>,
  other: Uint8Array,
  random: Seeded,
): Uint8Array<ArrayBuffer> {
  if (bytes.length === 0) return noise(random.integer(1, 32), random);
  const at = random.integer(0, bytes.length - 1);
  switch (random.integer(0, 9)) {
    case 0:
    case 1:
      bytes[at] = (bytes[at] as number) ^ (1 << random.integer(0, 7));
      return bytes;
    case 2:
      bytes[at] = random.integer(0, 255);
      return bytes;
    case 3:
    case 4: {
      const extreme = EXTREMES[random.integer(0, EXTREMES.length - 1)] as readonly number[];
      bytes.set(extreme.slice(0, bytes.length - at), at);
      return bytes;
    }
    case 5: {
      // A number, a little more or less.
      bytes[at] = (bytes[at] as number) + random.integer(-3, 3);
      return bytes;
    }
    case 6:
      return bytes.slice(0, at);
    case 7:
      return without(bytes, at, Math.min(random.integer(1, 16), bytes.length - at));
    case 8:
      return inserted(bytes, at, noise(random.integer(1, 16), random));
    default: {
      if (other.length === 0) return bytes;
      const from = random.integer(0, other.length - 1);
      const part = other.subarray(from, from + random.integer(1, 64));
      if (random.fraction() < 0.5) return inserted(bytes, at, part);
      bytes.set(part.subarray(0, bytes.length - at), at);
      return bytes;
    }
  }
}

function noise(length: number, random: Seeded): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, () => random.integer(0, 255));
}

function without(bytes: Uint8Array, at: number, length: number): Uint8Array<ArrayBuffer> {
  const rest = new Uint8Array(bytes.length - length);
  rest.set(bytes.subarray(0, at));
  rest.set(bytes.subarray(at + length), at);
  return rest;
}

function inserted(
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
  part: Uint8Array,
): Uint8Array<ArrayBuffer> {
  if (bytes.length + part.length > BYTES_MAX) return bytes;
  const grown = new Uint8Array(bytes.length + part.length);
  grown.set(bytes.subarray(0, at));
  grown.set(part, at);
  grown.set(bytes.subarray(at), at + part.length);
  return grown;
}
