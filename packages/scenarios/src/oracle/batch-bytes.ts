import { batchCrc } from "@karst/records";
import { batch } from "./records.ts";

// Where fields of a record batch stand (magic 2), for those who write them wrongly.
export const AT_BATCH_LENGTH = 8;
export const AT_LEADER_EPOCH = 12;
export const AT_MAGIC = 16;
const AT_CRC = 17;
export const AT_ATTRIBUTES = 21;
export const AT_LAST_OFFSET_DELTA = 23;
export const AT_MAX_TIMESTAMP = 35;
export const AT_COUNT = 57;

/** A batch with one record per delay, changed, its CRC left as it was. */
export function batchOfBytes(
  delays: readonly number[],
  change: (view: DataView) => void,
): Uint8Array {
  const bytes = Uint8Array.from(batch(delays));
  change(new DataView(bytes.buffer));
  return bytes;
}

/** The same, with the CRC of what it has become. */
export function stamped(delays: readonly number[], change: (view: DataView) => void): Uint8Array {
  const bytes = batchOfBytes(delays, change);
  const view = new DataView(bytes.buffer);
  view.setUint32(AT_CRC, batchCrc(view));
  return bytes;
}
