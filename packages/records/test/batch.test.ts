import assert from "node:assert/strict";
import { test } from "vitest";
import {
  BatchBuilder,
  batchCrc,
  codecById,
  codecKnown,
  decodeBatch,
  type DecodedRecord,
  encodeBatch,
  openBatch,
  openBatchAsync,
  patchBaseOffset,
  patchLeaderEpoch,
  patchMaxTimestamp,
  readBaseOffset,
  readBatchBytes,
  readCount,
  readCrc,
  readLeaderEpoch,
  readMaxTimestamp,
  splitBatches,
  stampLogAppendTime,
  verifyBatch,
} from "@karst/records";
import { concatBytes, viewOf } from "@karst/runtime";
import { decodedForm, text } from "./batches.ts";

const RECORDS = [
  { timestampMs: 1000, key: text("k"), value: text("a") },
  { timestampMs: 900, value: text("b"), headers: [{ key: "h", value: null }] },
];

test("base offset and leader epoch are patched without touching the CRC", () => {
  const batch = encodeBatch(RECORDS);
  const view = viewOf(batch);
  const crc = readCrc(view);
  patchBaseOffset(view, 2 ** 40 + 3);
  patchLeaderEpoch(view, 12);
  assert.equal(readCrc(view), crc);
  assert.equal(batchCrc(view), crc);
  assert.equal(readBaseOffset(view), 2 ** 40 + 3);
  assert.equal(readLeaderEpoch(view), 12);
  assert.deepEqual(decodeBatch(batch), decodedForm(RECORDS, { baseOffset: 2 ** 40 + 3 }));
});

test("LogAppendTime becomes every record's time, with a new CRC", () => {
  for (const codec of ["none", "gzip"] as const) {
    const batch = encodeBatch(RECORDS, { codec });
    stampLogAppendTime(viewOf(batch), 123_456);
    assert.equal(verifyBatch(batch).maxTimestampMs, 123_456);
    assert.deepEqual(decodeBatch(batch), decodedForm(RECORDS, { logAppendTimeMs: 123_456 }));
  }
});

test("the greatest timestamp is corrected with its CRC", () => {
  const batch = encodeBatch(RECORDS);
  patchMaxTimestamp(viewOf(batch), 7);
  assert.equal(verifyBatch(batch).maxTimestampMs, 7);
  assert.deepEqual(decodeBatch(batch), decodedForm(RECORDS));
});

test("headers are read at a position", () => {
  const batches = [encodeBatch(RECORDS), encodeBatch(RECORDS.slice(1), { baseOffset: 2 })];
  const view = viewOf(concatBytes(batches));
  const second = readBatchBytes(view);
  assert.equal(second, batches[0]?.length);
  assert.equal(readBaseOffset(view, second), 2);
  assert.equal(readCount(view, second), 1);
  assert.equal(readMaxTimestamp(view, second), 900);
});

test("a partial batch at the end is left out, one that cannot be a batch is refused", () => {
  const batch = encodeBatch(RECORDS);
  const whole = concatBytes([batch, batch]);
  assert.equal(splitBatches(whole.subarray(0, whole.length - 1)).length, 1);
  viewOf(whole).setInt32(batch.length + 8, -1);
  assert.throws(() => splitBatches(whole), { code: "CORRUPT_BATCH" });
});

test("a builder says when it is full, and refuses what never fits", () => {
  const builder = new BatchBuilder({ bytesMax: 100 });
  const small = { timestampMs: 1, value: new Uint8Array(20) };
  const large = { timestampMs: 1, value: new Uint8Array(90) };
  assert.ok(builder.tryAppend([small]));
  assert.equal(builder.tryAppend([small]), false);
  assert.equal(builder.count, 1);
  assert.deepEqual(builder.build().bytes, encodeBatch([small]));
  assert.equal(builder.count, 0);
  assert.equal(builder.tryAppend([large]), false);
  assert.throws(() => builder.build(), TypeError);
  assert.ok(builder.tryAppend([small]));
  assert.deepEqual(builder.build().bytes, encodeBatch([small]));
});

test("records are added all or none", () => {
  const builder = new BatchBuilder({ bytesMax: 100 });
  const record = { timestampMs: 1, value: new Uint8Array(10).fill(7) };
  assert.equal(builder.tryAppend([record, record, record]), false);
  assert.equal(builder.count, 0);
  assert.ok(builder.tryAppend([record]));
  assert.equal(builder.tryAppend([{ timestampMs: 0 }, record, record]), false);
  const batch = builder.build();
  assert.deepEqual(batch.bytes, encodeBatch([record]));
  assert.equal(batch.minTimestampMs, 1);
});

test("records that no batch can hold", () => {
  assert.throws(() => encodeBatch([]), TypeError);
  assert.throws(() => encodeBatch([{ timestampMs: 1.5 }]), { code: "INVALID_RECORD" });
  assert.throws(() => encodeBatch([{ timestampMs: Number.NaN }]), { code: "INVALID_RECORD" });
  const apart = [{ timestampMs: -(2 ** 53 - 1) }, { timestampMs: 2 ** 53 - 1 }];
  assert.throws(() => encodeBatch(apart), { code: "INVALID_RECORD" });
});

test("extreme timestamps survive", () => {
  for (const timestampMs of [-1, 0, 2 ** 31, -(2 ** 31) - 1, 2 ** 52, 2 ** 53 - 1]) {
    const records = [{ timestampMs: 0 }, { timestampMs }];
    assert.deepEqual(decodeBatch(encodeBatch(records)), decodedForm(records));
  }
});

test("codecs say which they are", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5].map(codecKnown), [true, true, true, true, true, false]);
  assert.deepEqual(
    [1, 2, 3, 4].map((id) => codecById(id).name),
    ["gzip", "snappy", "lz4", "zstd"],
  );
  assert.throws(() => codecById(9), { code: "UNSUPPORTED_CODEC" });
});

test("a gzip bomb is refused at the limit, in both ways of opening", async () => {
  const gzip = codecById(1);
  const bomb = gzip.compress(new Uint8Array(2_000_000));
  assert.throws(() => gzip.decompress(bomb, 100_000), { code: "DECOMPRESSED_TOO_LARGE" });
  await assert.rejects(gzip.decompressAsync(bomb, 100_000), { code: "DECOMPRESSED_TOO_LARGE" });
  assert.equal(gzip.decompress(bomb, 2_000_000).length, 2_000_000);
});

test("a damaged gzip stream is corrupt, in both ways of opening", async () => {
  const batch = encodeBatch(RECORDS, { codec: "gzip" });
  batch.fill(0xee, 75);
  assert.throws(() => openBatch(batch), { code: "CORRUPT_BATCH" });
  await assert.rejects(openBatchAsync(batch), { code: "CORRUPT_BATCH" });
});

test("a walk looks at nothing beyond its batch, and misses nothing before its end", () => {
  const one = encodeBatch([{ timestampMs: 1, value: text("abc") }]);
  const view = viewOf(one);
  view.setInt32(57, 2);
  assert.throws(() => decodeBatch(one), { code: "CORRUPT_BATCH" });
  view.setInt32(57, 0);
  assert.throws(() => decodeBatch(one), { code: "CORRUPT_BATCH" });
  view.setInt32(57, -1);
  assert.throws(() => decodeBatch(one), { code: "CORRUPT_BATCH" });
});

test("a record whose offset is not within its batch, or does not rise, is corrupt", () => {
  const offsetDeltaOf = (change: (batch: Uint8Array) => void): (() => unknown) => {
    const batch = encodeBatch([{ timestampMs: 1, key: null, value: text("a") }]);
    change(batch);
    return () => decodeBatch(batch);
  };
  const AT_OFFSET_DELTA = 64;
  for (const zigzag of [1, 2, 9])
    assert.throws(
      offsetDeltaOf((batch) => batch.set([zigzag], AT_OFFSET_DELTA)),
      { code: "CORRUPT_BATCH" },
    );
  // As a compaction leaves it: the one record of a batch of three, the second.
  const kept = offsetDeltaOf((batch) => {
    batch.set([2], AT_OFFSET_DELTA);
    viewOf(batch).setInt32(23, 2);
  });
  assert.deepEqual(
    (kept() as DecodedRecord[]).map(({ offset }) => offset),
    [1],
  );
});
