import assert from "node:assert/strict";
import { test } from "vitest";
import { encodeBatch, validateBatch } from "@karst/records";
import { concatBytes, crc32c, viewOf } from "@karst/runtime";
import { text } from "./batches.ts";

const RECORDS = [
  { timestampMs: 1000, value: text("a") },
  { timestampMs: 2000, value: text("b") },
];

/** A good batch, changed, with a CRC that fits again. */
function changed(change: (view: DataView) => void): Uint8Array {
  const batch = encodeBatch(RECORDS);
  const view = viewOf(batch);
  change(view);
  view.setUint32(17, crc32c(batch.subarray(21)));
  return batch;
}

/** The code of the refusal; undefined: accepted. */
function codeOf(batch: Uint8Array, bytesMax = 1000): string | undefined {
  try {
    validateBatch(batch, { bytesMax });
    return undefined;
  } catch (error) {
    return (error as { readonly code?: string }).code;
  }
}

test("a good batch is described", () => {
  const header = validateBatch(
    encodeBatch(RECORDS, { producer: { id: 7, epoch: 1, baseSequence: 3 } }),
    { bytesMax: 1000 },
  );
  assert.equal(header.count, 2);
  assert.equal(header.baseTimestampMs, 1000);
  assert.equal(header.maxTimestampMs, 2000);
  assert.equal(header.producerId, 7);
  assert.equal(header.producerEpoch, 1);
  assert.equal(header.baseSequence, 3);
});

test("no batch, and more than one", () => {
  assert.equal(codeOf(new Uint8Array(0)), "INVALID_RECORD");
  assert.equal(codeOf(concatBytes([encodeBatch(RECORDS), encodeBatch(RECORDS)])), "INVALID_RECORD");
});

test("older formats, also when shorter than a v2 header", () => {
  assert.equal(codeOf(changed((view) => view.setInt8(16, 1))), "UNSUPPORTED_MAGIC");
  assert.equal(codeOf(new Uint8Array(26)), "UNSUPPORTED_MAGIC");
});

test("truncated, and lengths that cannot be", () => {
  assert.equal(codeOf(encodeBatch(RECORDS).subarray(0, 70)), "TRUNCATED_BATCH");
  assert.equal(codeOf(encodeBatch(RECORDS).subarray(0, 10)), "TRUNCATED_BATCH");
  assert.equal(
    codeOf(changed((view) => view.setInt32(8, 2_000_000_000)).slice()),
    "TRUNCATED_BATCH",
  );
  const negative = encodeBatch(RECORDS);
  viewOf(negative).setInt32(8, -5);
  assert.equal(codeOf(negative), "CORRUPT_BATCH");
});

test("too large, before the CRC is looked at", () => {
  const batch = encodeBatch(RECORDS);
  assert.equal(codeOf(batch, batch.length - 1), "BATCH_TOO_LARGE");
  assert.equal(codeOf(batch, batch.length), undefined);
  batch[70] = 0xff;
  assert.equal(codeOf(batch, batch.length - 1), "BATCH_TOO_LARGE");
});

test("a wrong CRC", () => {
  const batch = encodeBatch(RECORDS);
  batch.fill(0, 65);
  assert.equal(codeOf(batch), "CORRUPT_BATCH");
});

test("headers that a client may not write", () => {
  assert.equal(codeOf(encodeBatch(RECORDS, { baseOffset: 1 })), "INVALID_RECORD");
  assert.equal(codeOf(encodeBatch(RECORDS, { baseOffset: 2 ** 40 })), "INVALID_RECORD");
  assert.equal(codeOf(encodeBatch(RECORDS, { control: true })), "INVALID_RECORD");
  assert.equal(codeOf(encodeBatch(RECORDS, { logAppendTimeMs: 5 })), "INVALID_TIMESTAMP");
  assert.equal(
    codeOf(encodeBatch(RECORDS, { producer: { id: 1, epoch: 0, baseSequence: -1 } })),
    "INVALID_RECORD",
  );
  assert.equal(
    codeOf(encodeBatch(RECORDS, { producer: { id: 1, epoch: -1, baseSequence: 0 } })),
    "INVALID_RECORD",
  );
});

test("counts that disagree", () => {
  assert.equal(codeOf(changed((view) => view.setInt32(57, 3))), "INVALID_RECORD");
  assert.equal(codeOf(changed((view) => view.setInt32(23, 5))), "INVALID_RECORD");
  const none = changed((view) => {
    view.setInt32(57, 0);
    view.setInt32(23, -1);
  });
  assert.equal(codeOf(none), "INVALID_RECORD");
  const many = changed((view) => {
    view.setInt32(57, 1_000_000);
    view.setInt32(23, 999_999);
  });
  assert.equal(codeOf(many), "INVALID_RECORD");
});

test("codecs: known, opaque, and none that exists", () => {
  assert.equal(codeOf(encodeBatch(RECORDS, { codec: "gzip" })), undefined);
  assert.equal(codeOf(changed((view) => view.setInt16(21, 4))), undefined);
  assert.equal(codeOf(changed((view) => view.setInt16(21, 6))), "UNSUPPORTED_CODEC");
});

test("integers beyond 2⁵³ are the producer's fault, not damage", () => {
  assert.equal(codeOf(changed((view) => view.setBigInt64(35, 2n ** 62n))), "INVALID_RECORD");
  assert.equal(codeOf(changed((view) => view.setBigInt64(27, -(2n ** 62n)))), "INVALID_RECORD");
  assert.equal(codeOf(changed((view) => view.setBigInt64(43, 2n ** 53n))), "INVALID_RECORD");
});
