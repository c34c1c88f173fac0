import { walError } from "./errors.ts";
import type { Frame } from "./wal.ts";

/**
 * Checks what the caller hands over, before anything of it is taken.
 *
 * @throws TypeError on fields outside their range; KarstError `FRAME_TOO_LARGE` (`invalid`).
 */
export function checkFrame(frame: Frame, frameBytesMax: number): void {
  const { streamId, streamEpoch, baseOffset, count, maxTimestampMs, payload } = frame;
  if (!isCount(streamId) || !isCount(streamEpoch) || !isCount(baseOffset)) {
    throw new TypeError("streamId, streamEpoch and baseOffset must be safe integers from 0");
  }
  if (!isCount(count) || count > 0xffff_ffff)
    throw new TypeError(`count must be a 32-bit integer from 0, not ${count}`);
  if (!Number.isSafeInteger(maxTimestampMs))
    throw new TypeError(`maxTimestampMs must be a safe integer, not ${maxTimestampMs}`);
  if (payload.length > frameBytesMax) {
    throw walError(
      "FRAME_TOO_LARGE",
      `a payload of ${payload.length} bytes is above the limit of ${frameBytesMax}`,
    );
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
