import { viewOf } from "@karst/runtime";
import { corrupt } from "./failure.ts";

// What can be known of zstd frames without decompressing:
//
//   data   = (frame | skippable)+
//   frame  = magic, descriptor, [window], [dictionary id], [content size], block+, [checksum 4]
//   block  = 3 bytes: last 1 bit, type 2 bits (0 raw, 1 one byte repeated, 2 compressed), size 21 bits; data
//
// Integers are little-endian. Source: RFC 8878, section 3.1.
const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const BLOCK_BYTES_MAX = 128 * 1024;

/** One frame: bytes `[start, end)` of the input. */
export interface ZstdFrame {
  readonly start: number;
  readonly end: number;
  /** At most what it becomes: declared, or else by its blocks. */
  readonly bytesBound: number;
  /** As declared. */
  readonly contentBytes: number | undefined;
  /** What a decoder has to keep at once, and a streaming one allocates before it has decoded anything. */
  readonly windowBytes: number;
}

/**
 * The frames that `bytes` consists of, skippable ones left out.
 *
 * @throws KarstError `CORRUPT_BATCH` (`corrupt`), also for frames that need a dictionary.
 */
export function zstdFrames(bytes: Uint8Array): ZstdFrame[] {
  const view = viewOf(bytes);
  const frames: ZstdFrame[] = [];
  if (bytes.length === 0) throw corrupt("there are no bytes of a zstd frame");
  for (let at = 0; at < bytes.length;) {
    const magic = at + 4 <= bytes.length ? view.getUint32(at, true) : 0;
    if (magic >= SKIPPABLE_MAGIC && magic <= SKIPPABLE_MAGIC + 15) {
      if (at + 8 > bytes.length) throw truncated();
      at += 8 + view.getUint32(at + 4, true);
      if (at > bytes.length) throw truncated();
    } else if (magic === MAGIC) {
      const frame = readFrame(view, at);
      frames.push(frame);
      at = frame.end;
    } else {
      throw corrupt("the zstd data is no frame");
    }
  }
  return frames;
}

function readFrame(view: DataView, start: number): ZstdFrame {
  const descriptor = start + 5 <= view.byteLength ? view.getUint8(start + 4) : 0;
  const singleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >>> 6;
  const sizeBytes = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 2 ** sizeFlag;
  if ((descriptor & 0x08) !== 0) throw corrupt("a zstd frame with a reserved flag");
  if ((descriptor & 0x03) !== 0) throw corrupt("a zstd frame that needs a dictionary");
  let at = start + 5;
  if (at + (singleSegment ? 0 : 1) + sizeBytes > view.byteLength) throw truncated();
  const window = singleSegment ? undefined : windowOf(view.getUint8(at));
  if (window !== undefined) at += 1;
  const contentBytes = sizeBytes === 0 ? undefined : contentSize(view, at, sizeBytes);
  at += sizeBytes;
  const windowBytes = window ?? contentBytes ?? 0;
  const blockBytesMax = Math.min(BLOCK_BYTES_MAX, windowBytes);
  let byBlocks = 0;
  for (let last = false; !last;) {
    if (at + 3 > view.byteLength) throw truncated();
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    const type = (header >>> 1) & 3;
    const size = header >>> 3;
    last = (header & 1) === 1;
    if (type === 3 || size > blockBytesMax) throw corrupt("a zstd block that cannot be");
    byBlocks += type === 2 ? blockBytesMax : size;
    at += 3 + (type === 1 ? 1 : size);
  }
  if ((descriptor & 0x04) !== 0) at += 4;
  if (at > view.byteLength) throw truncated();
  if (contentBytes !== undefined && contentBytes > byBlocks) {
    throw corrupt(`a zstd frame of at most ${byBlocks} bytes says that it has ${contentBytes}`);
  }
  return { start, end: at, bytesBound: contentBytes ?? byBlocks, contentBytes, windowBytes };
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >>> 3));
  return base + (base / 8) * (descriptor & 7);
}

function contentSize(view: DataView, at: number, bytes: number): number {
  if (bytes === 1) return view.getUint8(at);
  if (bytes === 2) return view.getUint16(at, true) + 256;
  const low = view.getUint32(at, true);
  return bytes === 4 ? low : low + view.getUint32(at + 4, true) * 0x1_0000_0000;
}

function truncated(): Error {
  return corrupt("the zstd data ends within a frame");
}
