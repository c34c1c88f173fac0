import {
  BATCH_BYTES_MAX,
  batchCrc,
  decodeBatch,
  DECOMPRESSED_BYTES_MAX,
  encodeBatch,
  openBatch,
  type RecordInput,
  splitBatches,
  validateBatch,
  verifyBatch,
} from "@karst/records";
import { concatBytes, viewOf } from "@karst/runtime";
import type { Target } from "./target.ts";

const CRC_AT = 17;
const BATCH_HEADER_BYTES = 61;

const text = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value));

const records: readonly RecordInput[] = [
  { timestampMs: 1_700_000_000_000, key: text("key"), value: text("value") },
  { timestampMs: 1_700_000_000_005, key: null, value: new Uint8Array(200) },
  {
    timestampMs: -1,
    value: null,
    headers: [
      { key: "a", value: text("b") },
      { key: "", value: null },
    ],
  },
];

const batches: readonly Uint8Array[] = [
  ...(["none", "gzip", "snappy", "lz4", "zstd"] as const).flatMap((codec) => [
    encodeBatch(records, { codec }),
    encodeBatch(records.slice(0, 1), { codec }),
    encodeBatch(records, { codec, producer: { id: 7, epoch: 1, baseSequence: 40 } }),
    encodeBatch(records, { codec, logAppendTimeMs: 1_700_000_000_000 }),
  ]),
  encodeBatch([{ timestampMs: 1, value: new Uint8Array(8000) }], { codec: "gzip" }),
];

export const recordsTargets: readonly Target[] = [
  {
    name: "record batch",
    samples: batches,
    reseal: resealBatch,
    decode: (bytes) => {
      const cursor = openBatch(bytes);
      while (cursor.next()) cursor.record();
      decodeBatch(bytes);
    },
  },
  {
    name: "produced record batch",
    samples: batches,
    reseal: resealBatch,
    decode: (bytes) => {
      validateBatch(bytes, { bytesMax: BATCH_BYTES_MAX });
      verifyBatch(bytes);
    },
  },
  {
    name: "compressed records",
    samples: batches.slice(4),
    reseal: resealBatch,
    decode: (bytes) => {
      const decoded = decodeBatch(bytes);
      const held = decoded.reduce((sum, record) => sum + (record.value?.length ?? 0), 0);
      if (held > DECOMPRESSED_BYTES_MAX) throw new Error(`${held} bytes of ${bytes.length}`);
    },
  },
  {
    name: "record batches",
    samples: [
      concatBytes(batches.slice(0, 3)),
      concatBytes([...batches.slice(3, 6), new Uint8Array(40)]),
    ],
    decode: (bytes) => {
      for (const batch of splitBatches(bytes)) decodeBatch(batch);
    },
  },
];

/** Length, magic and checksum, so that what is inside is looked at. */
function resealBatch(bytes: Uint8Array): void {
  if (bytes.length < BATCH_HEADER_BYTES) return;
  const view = viewOf(bytes);
  view.setInt32(8, bytes.length - 12);
  bytes[16] = 2;
  view.setUint32(CRC_AT, batchCrc(view));
}
