import { viewOf } from "@karst/runtime";
import { corrupt, tooLarge } from "./failure.ts";
import { type SnappyBlocks, snappyDeclared } from "./snappy-block.ts";
import type { Steps } from "./steps.ts";

// The framing of snappy-java, which Kafka's Java client writes; librdkafka and others write one raw block:
//
//   stream = header chunk* (header chunk*)*      a second header begins where streams were concatenated
//   header = 82 "SNAPPY" 00, int32 version 1, int32 oldest compatible version 1
//   chunk  = int32 length, raw snappy block of that length
//
// Source: snappy-java 1.1.10, SnappyCodec and SnappyInputStream. Integers are big-endian.
const MAGIC = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0] as const;
const HEADER_BYTES = 16;
const VERSION = 1;

/** Bytes of a block before compression, as Java has them. */
const BLOCK_BYTES = 32 * 1024;

export function isXerial(bytes: Uint8Array): boolean {
  return isHeader(bytes, 0);
}

export function encodeXerial(bytes: Uint8Array, blocks: SnappyBlocks): Uint8Array {
  const chunks: Uint8Array[] = [];
  let length = HEADER_BYTES;
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const chunk = blocks.compress(bytes.subarray(at, at + BLOCK_BYTES));
    chunks.push(chunk);
    length += 4 + chunk.length;
  }
  const framed = new Uint8Array(length);
  const view = viewOf(framed);
  framed.set(MAGIC);
  view.setInt32(8, VERSION);
  view.setInt32(12, VERSION);
  let at = HEADER_BYTES;
  for (const chunk of chunks) {
    view.setInt32(at, chunk.length);
    framed.set(chunk, at + 4);
    at += 4 + chunk.length;
  }
  return framed;
}

/** Reads the framing twice: once for what all blocks say they become, which is checked before anything is allocated. */
export function* decodeXerial(bytes: Uint8Array, blocks: SnappyBlocks, bytesMax: number): Steps {
  let length = 0;
  for (const chunk of chunksOf(bytes)) {
    length += snappyDeclared(chunk).bytes;
    if (length > bytesMax) throw tooLarge("snappy", bytesMax);
  }
  const decoded = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunksOf(bytes)) {
    const block = blocks.decompress(chunk);
    decoded.set(block, at);
    at += block.length;
    yield block.length;
  }
  if (at !== length) throw corrupt("a snappy block is shorter than it says");
  return decoded;
}

function* chunksOf(bytes: Uint8Array): Generator<Uint8Array, void, void> {
  const view = viewOf(bytes);
  let at = 0;
  while (at < bytes.length) {
    if (isHeader(bytes, at)) {
      at += HEADER_BYTES;
      if (at > bytes.length) throw corrupt("the snappy stream ends within its header");
      if (view.getInt32(at - 4) > VERSION) {
        throw corrupt(`a snappy stream for readers of version ${view.getInt32(at - 4)}`);
      }
      continue;
    }
    if (at + 4 > bytes.length) throw corrupt("the snappy stream ends within a length");
    const length = view.getInt32(at);
    at += 4;
    if (length <= 0 || at + length > bytes.length) {
      throw corrupt(`a snappy block of ${length} bytes, with ${bytes.length - at} left`);
    }
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

function isHeader(bytes: Uint8Array, at: number): boolean {
  return MAGIC.every((byte, i) => bytes[at + i] === byte);
}
