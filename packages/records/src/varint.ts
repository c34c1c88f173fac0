/*
 * Zigzag LEB128, as in records: `varint` for 32 bits (1..5 bytes), `varlong` for 64 (1..10). Reading is part of the record
 * cursor, which keeps its own position.
 */

const TWO_28 = 0x1000_0000;

/** Bytes of a 32-bit signed integer. */
export function varintBytes(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  if (zigzag < 0x80) return 1;
  if (zigzag < 0x4000) return 2;
  if (zigzag < 0x20_0000) return 3;
  return zigzag < TWO_28 ? 4 : 5;
}

/** Writes a 32-bit signed integer; returns the position after it. */
export function writeVarint(bytes: Uint8Array, position: number, value: number): number {
  let zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  let at = position;
  while (zigzag >= 0x80) {
    bytes[at++] = zigzag | 0x80;
    zigzag >>>= 7;
  }
  bytes[at++] = zigzag;
  return at;
}

/** Bytes of a safe integer. */
export function varlongBytes(value: number): number {
  if (value === (value | 0)) return varintBytes(value);
  let length = 1;
  // |value| beyond 2⁵² doubles out of the safe integers, so the first seven bits are taken before doubling.
  let rest = highBits(value);
  while (rest >= 0x80) {
    rest = Math.floor(rest / 0x80);
    length += 1;
  }
  return length + 1;
}

/** Writes a safe integer; returns the position after it. */
export function writeVarlong(bytes: Uint8Array, position: number, value: number): number {
  if (value === (value | 0)) return writeVarint(bytes, position, value);
  let at = position;
  bytes[at++] = lowBits(value) | 0x80;
  let rest = highBits(value);
  while (rest >= 0x80) {
    bytes[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  bytes[at++] = rest;
  return at;
}

/** The lowest seven bits of the zigzag form. zigzag(v) = 2v, or 2(−v − 1) + 1 for negative ones. */
function lowBits(value: number): number {
  return value < 0 ? (((-value - 1) % 0x40) << 1) | 1 : (value % 0x40) << 1;
}

/** The zigzag form without its lowest seven bits: ≥ 1 for every value beyond 32 bits. */
function highBits(value: number): number {
  return Math.floor((value < 0 ? -value - 1 : value) / 0x40);
}
