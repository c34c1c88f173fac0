import { copyOf } from "@karst/runtime";
import { walError } from "./errors.ts";
import { FRAME_HEADER_BYTES, frameBytesAt, readFrame } from "./format/group.ts";
import { SEGMENT_HEADER_BYTES } from "./format/segment-header.ts";
import { memoryOf } from "./group-buffer.ts";
import type { SegmentDevice } from "./segment-device.ts";
import type { Frame } from "./wal.ts";

/** A segment file and the positions [base, end) that its frames lie in. */
export interface StoredSegment {
  readonly name: string;
  readonly base: number;
  readonly end: number;
  readonly seed: number;
}

/** Reads and verifies the frame that begins at `start`. @throws KarstError `WAL_CORRUPT` (`corrupt`). */
export async function readStoredFrame(
  device: SegmentDevice,
  segment: StoredSegment,
  start: number,
): Promise<Frame> {
  const position = SEGMENT_HEADER_BYTES + start - segment.base;
  const damaged = (): Error =>
    walError(
      "WAL_CORRUPT",
      `${device.location}/${segment.name} has no whole frame at position ${position}`,
    );
  const head = memoryOf(shared(FRAME_HEADER_BYTES));
  if ((await device.read(segment.name, position, head.bytes)) < FRAME_HEADER_BYTES) throw damaged();
  const length = frameBytesAt(head, 0);
  if (start + length > segment.end) throw damaged();
  const memory = memoryOf(shared(length));
  if ((await device.read(segment.name, position, memory.bytes)) < length) throw damaged();
  const header = readFrame(memory, 0, length, start, segment.seed);
  if (header === undefined) throw damaged();
  const { payloadAt, payloadEnd, end: _end, ...fields } = header;
  return { ...fields, payload: copyOf(memory.bytes.subarray(payloadAt, payloadEnd)) };
}

function shared(bytes: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(bytes));
}
