import { crc32c, getInt64, setInt64, viewOf } from "@karst/runtime";
import { walError } from "../errors.ts";
import { ID_BYTES, idBytes, idOf } from "./id.ts";

/*
 * segment  := header group* zeros
 * header   := magic:u32 version:u32 requiredFeatures:u32 recycled:u32 walId:16 epoch:i64 base:i64 epochBase:i64 capacity:i64
 *             salt:8 crc:u32 zeros            big-endian, 512 bytes: a sector of its own, never written again
 */

/** Where the groups of a segment begin in its file. */
export const SEGMENT_HEADER_BYTES = 512;

const MAGIC = 0x4b57_5347; // "KWSG"
const VERSION = 1;
const RECYCLED_AT = 12;
const WAL_ID_AT = 16;
const CRC_AT = 72;

export const SALT_BYTES = 8;

export interface SegmentHeader {
  readonly walId: string;
  /** The claim that created the segment, and the only one that writes it. */
  readonly epoch: number;
  /** Position of the first byte after the header. */
  readonly base: number;
  /** `base` of the first segment of this epoch. */
  readonly epochBase: number;
  /** Bytes after the header: the next segment of the epoch has base + capacity as its base. */
  readonly capacity: number;
  /** Whether the space after the header held an earlier segment's groups, and not zeros, when the segment was made. */
  readonly recycled: boolean;
  /** Random: groups of other segments, files or times never validate here. */
  readonly salt: Uint8Array;
}

export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, MAGIC);
  view.setUint32(4, VERSION);
  view.setUint32(RECYCLED_AT, header.recycled ? 1 : 0);
  bytes.set(idBytes(header.walId), WAL_ID_AT);
  setInt64(view, 32, header.epoch);
  setInt64(view, 40, header.base);
  setInt64(view, 48, header.epochBase);
  setInt64(view, 56, header.capacity);
  bytes.set(header.salt, 64);
  view.setUint32(CRC_AT, crc32c(bytes.subarray(0, CRC_AT)));
  return bytes;
}

/** The value that every checksum of the segment starts from: of its identity, salt included, but not of how it was made. */
export function segmentSeed(headerBytes: Uint8Array): number {
  return crc32c(headerBytes.subarray(WAL_ID_AT, CRC_AT));
}

/** @throws KarstError `WAL_CORRUPT`, `WAL_VERSION` (`corrupt`) naming `file`. */
export function decodeSegmentHeader(bytes: Uint8Array, file: string): SegmentHeader {
  if (bytes.length < SEGMENT_HEADER_BYTES) {
    throw walError(
      "WAL_CORRUPT",
      `${file} has ${bytes.length} bytes, fewer than a segment's header`,
    );
  }
  const view = viewOf(bytes);
  if (view.getUint32(0) !== MAGIC)
    throw walError("WAL_CORRUPT", `${file} does not begin as a segment does (position 0)`);
  const version = view.getUint32(4);
  if (version !== VERSION)
    throw walError(
      "WAL_VERSION",
      `${file} has segment version ${version}; this Karst knows ${VERSION}`,
    );
  if (view.getUint32(CRC_AT) !== crc32c(bytes.subarray(0, CRC_AT))) {
    throw walError("WAL_CORRUPT", `${file} has a damaged header (position 0)`);
  }
  const features = view.getUint32(8);
  if (features !== 0) {
    throw walError(
      "WAL_VERSION",
      `${file} requires features 0x${features.toString(16)} that this Karst does not know`,
    );
  }
  for (let at = CRC_AT + 4; at < SEGMENT_HEADER_BYTES; at += 1) {
    if (bytes[at] !== 0)
      throw walError("WAL_CORRUPT", `${file} has a damaged header (position ${at})`);
  }
  const recycled = view.getUint32(RECYCLED_AT);
  if (recycled > 1)
    throw walError("WAL_CORRUPT", `${file} has a damaged header (position ${RECYCLED_AT})`);
  return {
    walId: idOf(bytes.subarray(WAL_ID_AT, WAL_ID_AT + ID_BYTES)),
    epoch: getInt64(view, 32),
    base: getInt64(view, 40),
    epochBase: getInt64(view, 48),
    capacity: getInt64(view, 56),
    recycled: recycled === 1,
    salt: bytes.slice(64, 64 + SALT_BYTES),
  };
}
