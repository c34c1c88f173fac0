import { copyOf } from "@karst/runtime";
import { walError } from "./errors.ts";
import {
  distanceToGroup,
  FRAME_HEADER_BYTES,
  GROUP_HEADER_BYTES,
  type Memory,
  readGroupHeader,
  walkFrames,
} from "./format/group.ts";
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

/**
 * Reads the frame that begins at `start`, with its group, which alone has a checksum.
 *
 * @throws KarstError `WAL_CORRUPT` (`corrupt`).
 */
export async function readStoredFrame(
  device: SegmentDevice,
  segment: StoredSegment,
  start: number,
): Promise<Frame> {
  const read = async (from: number, length: number): Promise<Memory> => {
    const memory = memoryOf(new Uint8Array(new SharedArrayBuffer(length)));
    const at = SEGMENT_HEADER_BYTES + from - segment.base;
    const whole = from >= segment.base && from + length <= segment.end;
    if (!whole || (await device.read(segment.name, at, memory.bytes)) < length) throw damaged();
    return memory;
  };
  const damaged = (): Error => {
    const at = SEGMENT_HEADER_BYTES + start - segment.base;
    const file = `${device.location}/${segment.name}`;
    return walError("WAL_CORRUPT", `${file} has no whole frame at position ${at}`);
  };
  const base = start - distanceToGroup(await read(start, FRAME_HEADER_BYTES), 0);
  const header = readGroupHeader(await read(base, GROUP_HEADER_BYTES), 0, base, segment.seed);
  if (header === undefined) throw damaged();
  const group = await read(base, header.end - base);
  let found: Frame | undefined;
  const whole = walkFrames(group, 0, header, segment.seed, (frame, at) => {
    if (at !== start) return;
    const { payloadAt, payloadEnd, end: _end, ...fields } = frame;
    found = { ...fields, payload: copyOf(group.bytes.subarray(payloadAt, payloadEnd)) };
  });
  if (!whole || found === undefined) throw damaged();
  return found;
}
