const SEED = 0x9747_b28c;
const M = 0x5bd1_e995;

/** MurmurHash2, 32 bit, with the seed of Kafka's clients. @returns a signed 32-bit integer. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  const whole = length & ~3;
  let hash = SEED ^ length;
  let at = 0;
  for (; at < whole; at += 4) {
    let k =
      byte(bytes, at) |
      (byte(bytes, at + 1) << 8) |
      (byte(bytes, at + 2) << 16) |
      (byte(bytes, at + 3) << 24);
    k = Math.imul(k, M);
    k = Math.imul(k ^ (k >>> 24), M);
    hash = Math.imul(hash, M) ^ k;
  }
  const rest = length - whole;
  if (rest > 2) hash ^= byte(bytes, at + 2) << 16;
  if (rest > 1) hash ^= byte(bytes, at + 1) << 8;
  if (rest > 0) hash = Math.imul(hash ^ byte(bytes, at), M);
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return hash ^ (hash >>> 15);
}

/** Where Kafka's default partitioner puts a record with this key, out of `partitions` ≥ 1. */
export function partitionForKey(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fff_ffff) % partitions;
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}
