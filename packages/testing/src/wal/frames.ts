import type { Frame } from "@karst/wal";

/** The frame with this number: every byte of it follows from the number and its length. */
export function frameOf(id: number, bytes: number): Frame {
  const payload = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i += 1) payload[i] = byteOf(id, i);
  return {
    streamId: id,
    streamEpoch: 1 + (id % 3),
    baseOffset: id * 3,
    count: 1 + (id % 4),
    maxTimestampMs: id,
    payload,
  };
}

/** The number of a frame if it is whole; undefined if any of it is not as it was appended. */
export function idOf(frame: Frame): number | undefined {
  const { streamId: id, payload } = frame;
  const whole =
    frame.streamEpoch === 1 + (id % 3) &&
    frame.baseOffset === id * 3 &&
    frame.count === 1 + (id % 4) &&
    frame.maxTimestampMs === id;
  if (!whole) return undefined;
  for (let i = 0; i < payload.length; i += 1) if (payload[i] !== byteOf(id, i)) return undefined;
  return id;
}

function byteOf(id: number, i: number): number {
  return (id * 7 + i) & 0xff;
}
