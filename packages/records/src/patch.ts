import { setInt64 } from "@karst/runtime";
import {
  AT_ATTRIBUTES,
  AT_LEADER_EPOCH,
  AT_MAX_TIMESTAMP,
  LOG_APPEND_TIME_BIT,
  readAttributes,
} from "./batch-header.ts";
import { stampCrc } from "./crc.ts";

/** Gives the batch its place in the log. Not covered by the CRC. */
export function patchBaseOffset(view: DataView, baseOffset: number, at = 0): void {
  setInt64(view, at, baseOffset);
}

/** Not covered by the CRC. */
export function patchLeaderEpoch(view: DataView, leaderEpoch: number, at = 0): void {
  view.setInt32(at + AT_LEADER_EPOCH, leaderEpoch);
}

/** Corrects the greatest timestamp, and the CRC with it. */
export function patchMaxTimestamp(view: DataView, maxTimestampMs: number, at = 0): void {
  setInt64(view, at + AT_MAX_TIMESTAMP, maxTimestampMs);
  stampCrc(view, at);
}

/** Makes every record's timestamp the time of the append: type bit, greatest timestamp, new CRC. Records stay as they are. */
export function stampLogAppendTime(view: DataView, appendTimeMs: number, at = 0): void {
  view.setInt16(at + AT_ATTRIBUTES, readAttributes(view, at) | LOG_APPEND_TIME_BIT);
  patchMaxTimestamp(view, appendTimeMs, at);
}
