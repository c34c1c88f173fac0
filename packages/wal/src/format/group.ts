import { crc32c, getInt64, setInt64 } from "@karst/runtime";

/*
 * group    := magic:u32 crc:u32 length:u32 frameCount:u32 base:i64 sequence:i64 watermark:i64 framesCrc:u32 zero:u32
 *             frame{frameCount}
 *             crc of the 40 bytes after it; framesCrc of all frames. length: the whole group. A group without frames is a mark.
 * frame    := inGroup:u32 payloadLength:u32 streamId:i64 streamEpoch:i64 baseOffset:i64 maxTimestampMs:i64 count:u32 lead:u32
 *             zero{lead} payload zero*
 *             inGroup: from the group's begin to the frame's. lead: 0–7. The zeros at the end fill the frame up to a multiple
 *             of 8 bytes.                                                                                big-endian
 * Both checksums start from the segment's seed and the position of the group.
 */

export const GROUP_HEADER_BYTES = 48;
export const FRAME_HEADER_BYTES = 48;

/** Groups and frames are multiples of this. */
const ALIGNMENT = 8;

const GROUP_MAGIC = 0x4b57_4752; // "KWGR"
/** First byte of the magic, for searching. */
export const GROUP_MAGIC_FIRST_BYTE = 0x4b;
const GROUP_CRC_FROM = 8;

/** A group's header. Positions are the WAL's; `end` = base + length. */
export interface GroupHeader {
  readonly base: number;
  readonly end: number;
  /** From 1 in each epoch, without gaps. */
  readonly sequence: number;
  /** Everything below was durable when the group was built. */
  readonly watermark: number;
  readonly frameCount: number;
  /** Of the frames' bytes, starting from `groupSeed`. */
  readonly framesCrc: number;
}

/** Everything of a frame but its payload, which lies at [payloadAt, payloadEnd) of the bytes it was read from. */
export interface FrameHeader {
  readonly streamId: number;
  readonly streamEpoch: number;
  readonly baseOffset: number;
  readonly count: number;
  readonly maxTimestampMs: number;
  readonly payloadAt: number;
  readonly payloadEnd: number;
  /** Where the frame ends, likewise. */
  readonly end: number;
}

/** A frame's fields, as in `Frame`, which it accepts. */
export interface FrameFields {
  readonly streamId: number;
  readonly streamEpoch: number;
  readonly baseOffset: number;
  readonly count: number;
  readonly maxTimestampMs: number;
  readonly payload: Uint8Array;
}

/** Bytes and the one view of them. */
export interface Memory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** What a group's checksums start from: where it is counts, so that misplaced bytes never validate. */
export function groupSeed(seed: number, position: number): number {
  return (seed ^ (position >>> 0) ^ Math.floor(position / 0x1_0000_0000)) >>> 0;
}

/** Writes the header at `at` over the room reserved for it. */
export function writeGroupHeader(
  memory: Memory,
  at: number,
  header: GroupHeader,
  seed: number,
): void {
  const { bytes, view } = memory;
  view.setUint32(at, GROUP_MAGIC);
  view.setUint32(at + 8, header.end - header.base);
  view.setUint32(at + 12, header.frameCount);
  setInt64(view, at + 16, header.base);
  setInt64(view, at + 24, header.sequence);
  setInt64(view, at + 32, header.watermark);
  view.setUint32(at + 40, header.framesCrc);
  view.setUint32(at + 44, 0);
  const crc = crc32c(
    bytes.subarray(at + GROUP_CRC_FROM, at + GROUP_HEADER_BYTES),
    groupSeed(seed, header.base),
  );
  view.setUint32(at + 4, crc);
}

/** The header at `at` if one is there that belongs to `position`; at least GROUP_HEADER_BYTES follow `at`. */
export function readGroupHeader(
  memory: Memory,
  at: number,
  position: number,
  seed: number,
): GroupHeader | undefined {
  const { bytes, view } = memory;
  // The position first: where old groups lie about, it rules them out without a checksum.
  if (view.getUint32(at) !== GROUP_MAGIC || view.getUint32(at + 20) !== position >>> 0)
    return undefined;
  const crc = crc32c(
    bytes.subarray(at + GROUP_CRC_FROM, at + GROUP_HEADER_BYTES),
    groupSeed(seed, position),
  );
  if (view.getUint32(at + 4) !== crc) return undefined;
  const length = view.getUint32(at + 8);
  const header: GroupHeader = {
    base: getInt64(view, at + 16),
    end: position + length,
    sequence: getInt64(view, at + 24),
    watermark: getInt64(view, at + 32),
    frameCount: view.getUint32(at + 12),
    framesCrc: view.getUint32(at + 40),
  };
  return header.base === position && length >= GROUP_HEADER_BYTES ? header : undefined;
}

/**
 * Bytes that a frame takes. The payload is put where its address has the same remainder by 8 as the caller's: a copy into shared
 * memory goes by words only then, and by single bytes otherwise, five to ten times slower (measured on Node 20).
 */
export function frameBytes(payload: Uint8Array): number {
  return framed(leadOf(payload), payload.length);
}

function leadOf(payload: Uint8Array): number {
  return payload.byteOffset % ALIGNMENT;
}

function framed(lead: number, payloadLength: number): number {
  return Math.ceil((FRAME_HEADER_BYTES + lead + payloadLength) / ALIGNMENT) * ALIGNMENT;
}

/** Copies a frame to `at`, which has room for it, `inGroup` bytes after its group's begin; returns where its payload begins. */
export function writeFrame(
  memory: Memory,
  at: number,
  frame: FrameFields,
  inGroup: number,
): number {
  const { bytes, view } = memory;
  const { payload } = frame;
  const lead = leadOf(payload);
  const end = at + framed(lead, payload.length);
  view.setUint32(at, inGroup);
  view.setUint32(at + 4, payload.length);
  setInt64(view, at + 8, frame.streamId);
  setInt64(view, at + 16, frame.streamEpoch);
  setInt64(view, at + 24, frame.baseOffset);
  setInt64(view, at + 32, frame.maxTimestampMs);
  view.setUint32(at + 40, frame.count);
  view.setUint32(at + 44, lead);
  const payloadAt = at + FRAME_HEADER_BYTES + lead;
  // The zeros on both sides, as far as there are any; the payload goes over the rest.
  if (end > at + FRAME_HEADER_BYTES) {
    view.setFloat64(at + FRAME_HEADER_BYTES, 0);
    view.setFloat64(end - ALIGNMENT, 0);
  }
  bytes.set(payload, payloadAt);
  return payloadAt;
}

/** How far before the frame that begins at `at` its group begins: unverified. */
export function distanceToGroup(memory: Memory, at: number): number {
  return memory.view.getUint32(at);
}

/**
 * Walks the frames of a group whose header was read at `at`, after their checksum.
 *
 * @returns whether all of them are there and undamaged, and fill the group exactly; else `onFrame` has not been called.
 */
export function walkFrames(
  memory: Memory,
  at: number,
  header: GroupHeader,
  seed: number,
  onFrame?: (frame: FrameHeader, start: number, end: number) => void,
): boolean {
  const limit = at + header.end - header.base;
  if (limit > memory.bytes.length) return false;
  const frames = memory.bytes.subarray(at + GROUP_HEADER_BYTES, limit);
  if (crc32c(frames, groupSeed(seed, header.base)) !== header.framesCrc) return false;
  if (!fill(memory, at, limit, header.frameCount)) return false;
  if (onFrame === undefined) return true;
  for (let cursor = at + GROUP_HEADER_BYTES; cursor < limit;) {
    const frame = frameAt(memory, cursor);
    onFrame(frame, header.base + cursor - at, header.base + frame.end - at);
    cursor = frame.end;
  }
  return true;
}

/** Whether `count` frames lie one after the other up to `limit`. */
function fill({ view }: Memory, at: number, limit: number, count: number): boolean {
  let cursor = at + GROUP_HEADER_BYTES;
  for (let i = 0; i < count; i += 1) {
    if (cursor + FRAME_HEADER_BYTES > limit) return false;
    const lead = view.getUint32(cursor + 44);
    if (view.getUint32(cursor) !== cursor - at || lead >= ALIGNMENT) return false;
    cursor += framed(lead, view.getUint32(cursor + 4));
  }
  return cursor === limit;
}

function frameAt({ view }: Memory, at: number): FrameHeader {
  const payloadLength = view.getUint32(at + 4);
  const lead = view.getUint32(at + 44);
  const payloadAt = at + FRAME_HEADER_BYTES + lead;
  return {
    streamId: getInt64(view, at + 8),
    streamEpoch: getInt64(view, at + 16),
    baseOffset: getInt64(view, at + 24),
    count: view.getUint32(at + 40),
    maxTimestampMs: getInt64(view, at + 32),
    payloadAt,
    payloadEnd: payloadAt + payloadLength,
    end: at + framed(lead, payloadLength),
  };
}
