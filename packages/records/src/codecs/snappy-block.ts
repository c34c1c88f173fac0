import { corrupt } from "./failure.ts";

/** Compresses and opens single blocks of raw snappy. */
export interface SnappyBlocks {
  /** Fresh bytes. */
  compress(block: Uint8Array): Uint8Array;
  /** Fresh bytes: as many as the block declares, which the caller has checked. @throws anything where the block is damaged. */
  decompress(block: Uint8Array): Uint8Array;
  /** The same off the event loop, where the library can. */
  decompressAsync?(block: Uint8Array): Promise<Uint8Array>;
}

const DECLARED_BYTES_MAX = 0xffff_ffff;

/**
 * Bytes that a block says it becomes: a varint of at most 32 bits in front of it.
 *
 * @throws KarstError `CORRUPT_BATCH` (`corrupt`).
 */
export function snappyDeclared(block: Uint8Array): { readonly bytes: number; readonly at: number } {
  let bytes = 0;
  for (let at = 0; at < 5; at += 1) {
    const byte = block[at];
    if (byte === undefined) break;
    bytes += (byte & 0x7f) * 2 ** (7 * at);
    if (byte >= 0x80) continue;
    if (bytes > DECLARED_BYTES_MAX) break;
    return { bytes, at: at + 1 };
  }
  throw corrupt("a snappy block does not say how long it is");
}

/**
 * Walks the elements of a block without copying anything: each lies within the block, copies from what is there already, and all
 * together make as many bytes as declared. A decoder that trusts its input may be given the block afterwards.
 *
 * Source: snappy format description, section 2.
 *
 * @throws KarstError `CORRUPT_BATCH` (`corrupt`).
 */
export function checkSnappyBlock(block: Uint8Array): void {
  const declared = snappyDeclared(block);
  let { at } = declared;
  let made = 0;
  while (at < block.length) {
    const tag = block[at] as number;
    const kind = tag & 3;
    at += 1;
    if (kind === 0) {
      let literal = tag >>> 2;
      const lengthBytes = literal < 60 ? 0 : literal - 59;
      if (lengthBytes > 0) {
        literal = littleEndian(block, at, lengthBytes);
        at += lengthBytes;
      }
      made += literal + 1;
      at += literal + 1;
    } else {
      const offsetBytes = kind === 1 ? 1 : kind === 2 ? 2 : 4;
      const high = kind === 1 ? (tag >>> 5) * 256 : 0;
      const offset = high + littleEndian(block, at, offsetBytes);
      at += offsetBytes;
      if (offset === 0 || offset > made) throw corrupt("a snappy block copies from outside itself");
      made += kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    }
    if (made > declared.bytes) break;
  }
  if (at !== block.length || made !== declared.bytes) {
    throw corrupt(`a snappy block of ${declared.bytes} bytes does not end where it says`);
  }
}

/** Beyond the end of the block: zeros, which its walk notices afterwards. */
function littleEndian(block: Uint8Array, at: number, bytes: number): number {
  let value = 0;
  for (let i = 0; i < bytes; i += 1) value += (block[at + i] ?? 0) * 2 ** (8 * i);
  return value;
}
