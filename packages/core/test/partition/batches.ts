import { type BatchOptions, decodeBatch, encodeBatch, verifyBatch } from "@karst/records";
import type { PartitionLog } from "@karst/core";
import { copyOf, crc32c, utf8Decode, utf8Encode, viewOf } from "@karst/runtime";

/** Time in the simulated world begins here. */
export const NOW = 1_704_067_200_000;

export interface Sent {
  readonly value: string;
  readonly timestampMs?: number;
}

/** A batch as a producer would send it. */
export function batchOf(
  values: readonly (string | Sent)[],
  options: BatchOptions = {},
): Uint8Array {
  const records = values.map((value) => (typeof value === "string" ? { value } : value));
  return encodeBatch(
    records.map(({ value, timestampMs }) => ({
      value: utf8Encode(value),
      timestampMs: timestampMs ?? NOW,
    })),
    options,
  );
}

/** The same, changed, with a CRC that fits again. */
export function changed(batch: Uint8Array, change: (view: DataView) => void): Uint8Array {
  const copy = copyOf(batch);
  const view = viewOf(copy);
  change(view);
  view.setUint32(17, crc32c(copy.subarray(21)));
  return copy;
}

/** Everything readable: `offset:value`. Checks the CRC of each batch. */
export async function contents(
  log: PartitionLog,
  from: number = log.logStartOffset,
): Promise<string[]> {
  const found: string[] = [];
  for (let at = from; at < log.highWatermark;) {
    const read = await log.read({ from: at, bytesMax: 1000, isolation: "read_uncommitted" });
    for (const batch of read.batches) {
      verifyBatch(batch.payload);
      for (const record of decodeBatch(batch.payload)) {
        if (record.offset >= from && record.value !== null)
          found.push(`${record.offset}:${utf8Decode(record.value)}`);
      }
    }
    at = read.nextOffset;
    read.release();
  }
  return found;
}
