import { viewOf } from "@karst/runtime";
import { LZ4_HISTORY_COPIED_MAX } from "../limits.ts";
import { corrupt, tooLarge } from "./failure.ts";
import { LZ4_HISTORY_BYTES, lz4BlockBytes, type Lz4Blocks, lz4WithHistory } from "./lz4-block.ts";
import type { Steps } from "./steps.ts";
import { xxh32 } from "./xxh32.ts";

// One LZ4 frame, as Kafka has it since record batches of version 2:
//
//   frame  = magic, FLG, BD, [content size 8], HC, block*, end mark 0, [content checksum 4]
//   block  = size 4 (top bit: stored as it is), data, [block checksum 4]
//
// FLG: version 01, B.Indep, B.Checksum, C.Size, C.Checksum, 0, DictID; BD: 0, block maximum size (4: 64 KiB … 7: 4 MiB), 0000;
// HC: second byte of the XXH32 of FLG … content size. Integers are little-endian.
//
// Source: LZ4 frame format 1.6.4; Kafka's Lz4BlockInputStream, which refuses linked blocks and reads one frame. Here linked blocks
// are read too; bytes after the frame are refused, as readers differ about them, and so are dictionaries.
const MAGIC = 0x184d2204;
const VERSION_MASK = 0xc0;
const VERSION_1 = 0x40;
const INDEPENDENT = 0x20;
const BLOCK_CHECKSUM = 0x10;
const CONTENT_SIZE = 0x08;
const CONTENT_CHECKSUM = 0x04;
const RESERVED_OR_DICTIONARY = 0x03;
const STORED = 0x8000_0000;

/** 64 KiB: what Kafka's Java client writes. */
const BLOCK_BYTES = 64 * 1024;
const BLOCK_SIZE_ID = 4;
const HEADER_BYTES = 7;

interface Frame {
  readonly linked: boolean;
  readonly blockBytesMax: number;
  readonly blockChecksums: boolean;
  readonly contentChecksum: boolean;
  /** As declared. */
  readonly contentBytes: number | undefined;
  /** Where the blocks begin. */
  readonly start: number;
}

interface Block {
  readonly data: Uint8Array;
  readonly stored: boolean;
}

export function encodeLz4Frame(bytes: Uint8Array, blocks: Lz4Blocks): Uint8Array {
  const count = Math.ceil(bytes.length / BLOCK_BYTES);
  const framed = new Uint8Array(HEADER_BYTES + count * 4 + bytes.length + 4);
  const view = viewOf(framed);
  view.setUint32(0, MAGIC, true);
  framed[4] = VERSION_1 | INDEPENDENT;
  framed[5] = BLOCK_SIZE_ID << 4;
  framed[6] = headerChecksum(framed.subarray(4, 6));
  let at = HEADER_BYTES;
  for (let from = 0; from < bytes.length; from += BLOCK_BYTES) {
    const block = bytes.subarray(from, from + BLOCK_BYTES);
    // A block that does not become smaller is stored.
    const into = framed.subarray(at + 4, at + 4 + block.length - 1);
    const length = blocks.compress(block, into);
    if (length === 0) framed.set(block, at + 4);
    view.setUint32(at, length === 0 ? (STORED | block.length) >>> 0 : length, true);
    at += 4 + (length === 0 ? block.length : length);
  }
  // The end mark is there already: zeros.
  return framed.slice(0, at + 4);
}

/** Walks the frame first, for the exact size of each block and its structure; then decodes block by block into place. */
export function* decodeLz4Frame(bytes: Uint8Array, blocks: Lz4Blocks, bytesMax: number): Steps {
  const frame = readHeader(bytes);
  if ((frame.contentBytes ?? 0) > bytesMax) throw tooLarge("LZ4", bytesMax);
  const lengths: number[] = [];
  let length = 0;
  let copied = 0;
  for (const block of blocksOf(bytes, frame)) {
    copied += historyBytes(frame, length);
    lengths.push(decodedBytes(block, frame, length));
    length += lengths.at(-1) ?? 0;
    if (length > bytesMax) throw tooLarge("LZ4", bytesMax);
    if (copied > LZ4_HISTORY_COPIED_MAX) throw tooLarge("LZ4", LZ4_HISTORY_COPIED_MAX);
  }
  if (frame.contentBytes !== undefined && frame.contentBytes !== length) {
    throw corrupt(`an LZ4 frame of ${length} bytes says that it has ${frame.contentBytes}`);
  }
  const decoded = new Uint8Array(length);
  let at = 0;
  let index = 0;
  for (const block of blocksOf(bytes, frame, "checked")) {
    const end = at + (lengths[index] ?? 0);
    if (block.stored) decoded.set(block.data, at);
    else decodeBlock(block.data, decoded, { at, end, linked: frame.linked, blocks });
    yield end - at;
    at = end;
    index += 1;
  }
  if (frame.contentChecksum && xxh32(decoded) !== viewOf(bytes).getUint32(bytes.length - 4, true)) {
    throw corrupt("the content of an LZ4 frame does not have its checksum");
  }
  return decoded;
}

/** Into `[at, end)` of `decoded`, where everything before is there already. */
function decodeBlock(
  data: Uint8Array,
  decoded: Uint8Array,
  place: {
    readonly at: number;
    readonly end: number;
    readonly linked: boolean;
    readonly blocks: Lz4Blocks;
  },
): void {
  const { at, end, linked, blocks } = place;
  if (!linked || at === 0) {
    blocks.decompress(data, decoded.subarray(at, end));
    return;
  }
  const history = decoded.subarray(Math.max(0, at - LZ4_HISTORY_BYTES), at);
  const both = new Uint8Array(history.length + end - at);
  blocks.decompress(lz4WithHistory(data, history), both);
  decoded.set(both.subarray(history.length), at);
}

function decodedBytes({ data, stored }: Block, frame: Frame, before: number): number {
  const bytes = stored ? data.length : lz4BlockBytes(data, historyBytes(frame, before));
  if (bytes > frame.blockBytesMax) {
    throw corrupt(`an LZ4 block of ${bytes} bytes, where ${frame.blockBytesMax} are the most`);
  }
  return bytes;
}

/** Bytes that a linked block may copy from, and that opening it costs beside its own. */
function historyBytes(frame: Frame, before: number): number {
  return frame.linked ? Math.min(before, LZ4_HISTORY_BYTES) : 0;
}

function readHeader(bytes: Uint8Array): Frame {
  const view = viewOf(bytes);
  if (bytes.length < HEADER_BYTES) throw corrupt("the LZ4 frame ends within its header");
  if (view.getUint32(0, true) !== MAGIC) throw corrupt("the LZ4 data is no frame");
  const flags = view.getUint8(4);
  const descriptor = view.getUint8(5);
  const sizeId = (descriptor >>> 4) & 7;
  if ((flags & VERSION_MASK) !== VERSION_1 || (flags & RESERVED_OR_DICTIONARY) !== 0) {
    throw corrupt(`an LZ4 frame with flags ${flags}`);
  }
  if (sizeId < 4 || (descriptor & 0x8f) !== 0) {
    throw corrupt(`an LZ4 frame with block descriptor ${descriptor}`);
  }
  const sized = (flags & CONTENT_SIZE) !== 0;
  const end = sized ? 14 : 6;
  if (bytes.length <= end) throw corrupt("the LZ4 frame ends within its header");
  if (headerChecksum(bytes.subarray(4, end)) !== bytes[end]) {
    throw corrupt("the header of an LZ4 frame does not have its checksum");
  }
  return {
    linked: (flags & INDEPENDENT) === 0,
    blockBytesMax: 1 << (8 + 2 * sizeId),
    blockChecksums: (flags & BLOCK_CHECKSUM) !== 0,
    contentChecksum: (flags & CONTENT_CHECKSUM) !== 0,
    contentBytes: sized
      ? view.getUint32(6, true) + view.getUint32(10, true) * 0x1_0000_0000
      : undefined,
    start: end + 1,
  };
}

/** The blocks of a frame that ends where the bytes do. */
function* blocksOf(
  bytes: Uint8Array,
  frame: Frame,
  checksums: "to check" | "checked" = "to check",
): Generator<Block, void, void> {
  const view = viewOf(bytes);
  const end = bytes.length - (frame.contentChecksum ? 4 : 0);
  for (let at = frame.start; ;) {
    if (at + 4 > end) throw corrupt("the LZ4 frame ends without an end mark");
    const word = view.getUint32(at, true);
    at += 4;
    if (word === 0) {
      if (at !== end) throw corrupt(`${end - at} bytes after the end of an LZ4 frame`);
      return;
    }
    const stored = word >= STORED;
    const length = stored ? word - STORED : word;
    const next = at + length + (frame.blockChecksums ? 4 : 0);
    if (next > end) throw corrupt(`an LZ4 block of ${length} bytes, with ${end - at} left`);
    const data = bytes.subarray(at, at + length);
    if (
      frame.blockChecksums &&
      checksums === "to check" &&
      xxh32(data) !== view.getUint32(next - 4, true)
    ) {
      throw corrupt("an LZ4 block does not have its checksum");
    }
    yield { data, stored };
    at = next;
  }
}

function headerChecksum(descriptor: Uint8Array): number {
  return (xxh32(descriptor) >>> 8) & 0xff;
}
