import { corrupt } from "./failure.ts";

/** Compresses and opens single raw LZ4 blocks. */
export interface Lz4Blocks {
  /** Writes the compressed block. @returns its bytes; 0 where it does not fit into `into`. */
  compress(block: Uint8Array, into: Uint8Array): number;
  /** Fills `into`, which has exactly the bytes that the block becomes. @throws anything where the block is damaged. */
  decompress(block: Uint8Array, into: Uint8Array): void;
}

/** How far back a match may reach, and so what a linked block needs of those before it. */
export const LZ4_HISTORY_BYTES = 65_535;

const MATCH_BYTES_MIN = 4;

/**
 * Bytes that a block becomes, found by walking its sequences without copying anything. A decoder that trusts its input may be given
 * the block afterwards: every literal lies within it, every match within what is there already.
 *
 * Source: LZ4 block format description.
 *
 * @param historyBytes what was decoded before it and may be copied from: 0 for an independent block.
 * @throws KarstError `CORRUPT_BATCH` (`corrupt`).
 */
export function lz4BlockBytes(block: Uint8Array, historyBytes: number): number {
  const end = block.length;
  let at = 0;
  let made = 0;
  while (at < end) {
    const token = block[at++] as number;
    let literals = token >>> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255 && at < end) {
        more = block[at++] as number;
        literals += more;
      }
    }
    at += literals;
    made += literals;
    // The last sequence has no match.
    if (at === end) return made;
    if (at + 2 > end) break;
    const offset = (block[at] as number) | ((block[at + 1] as number) << 8);
    at += 2;
    if (offset === 0 || offset > historyBytes + made) {
      throw corrupt("an LZ4 block copies from before its beginning");
    }
    let match = (token & 15) + MATCH_BYTES_MIN;
    if ((token & 15) === 15) {
      let more = 255;
      while (more === 255 && at < end) {
        more = block[at++] as number;
        match += more;
      }
    }
    made += match;
  }
  throw corrupt("an LZ4 block ends within a sequence");
}

/**
 * The block with what came before it as literals in front: decoders without dictionaries can open it, and make `history` first.
 *
 * @param block checked by `lz4BlockBytes`.
 */
export function lz4WithHistory(block: Uint8Array, history: Uint8Array): Uint8Array {
  const token = block[0] as number;
  let literals = token >>> 4;
  let at = 1;
  if (literals === 15) {
    let more = 255;
    while (more === 255) {
      more = block[at++] as number;
      literals += more;
    }
  }
  literals += history.length;
  const extra = literals < 15 ? 0 : Math.floor((literals - 15) / 255) + 1;
  const whole = new Uint8Array(1 + extra + history.length + block.length - at);
  whole[0] = (Math.min(literals, 15) << 4) | (token & 15);
  if (extra > 0) {
    whole.fill(255, 1, extra);
    whole[extra] = (literals - 15) % 255;
  }
  whole.set(history, 1 + extra);
  whole.set(block.subarray(at), 1 + extra + history.length);
  return whole;
}
