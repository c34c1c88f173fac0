import assert from "node:assert/strict";
import * as fc from "fast-check";
import { test } from "vitest";
import {
  BatchBuilder,
  decodeBatch,
  encodeBatch,
  openBatch,
  openBatchAsync,
  patchMaxTimestamp,
  splitBatches,
  validateBatch,
  verifyBatch,
} from "@karst/records";
import { concatBytes, copyOf, isKarstError, viewOf } from "@karst/runtime";
import { decodedForm, optionsArbitrary, recordsArbitrary, RUNS, text } from "./batches.ts";

test("what is encoded decodes to the same records", () => {
  fc.assert(
    fc.property(recordsArbitrary, optionsArbitrary, (records, options) => {
      const batch = encodeBatch(records, options);
      const header = verifyBatch(batch);
      assert.equal(header.bytes, batch.length);
      assert.equal(header.count, records.length);
      assert.equal(header.maxTimestampMs, Math.max(...records.map((record) => record.timestampMs)));
      assert.equal(header.producerId, options.producer?.id ?? -1);
      assert.equal(header.baseSequence, options.producer?.baseSequence ?? -1);
      assert.deepEqual(decodeBatch(batch), decodedForm(records, options));
    }),
    { numRuns: RUNS },
  );
});

test("a builder writes what encoding at once writes, split where the size says", () => {
  fc.assert(
    fc.property(
      fc.array(recordsArbitrary, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 300, max: 3000 }),
      (groups, bytesMax) => {
        const builder = new BatchBuilder({ bytesMax });
        const kept: (typeof groups)[number][] = [];
        const batches: Uint8Array[] = [];
        let open: (typeof groups)[number] = [];
        function finish(): void {
          if (open.length === 0) return;
          const batch = builder.build();
          assert.equal(
            batch.minTimestampMs,
            Math.min(...open.map(({ timestampMs }) => timestampMs)),
          );
          batches.push(copyOf(batch.bytes));
          kept.push(open);
          open = [];
        }
        for (const group of groups) {
          if (!builder.tryAppend(group)) {
            finish();
            assert.equal(builder.count, 0);
            if (!builder.tryAppend(group)) {
              assert.ok(encodeBatch(group).length > bytesMax);
              continue;
            }
          }
          open = [...open, ...group];
          assert.equal(builder.count, open.length);
          assert.ok(builder.bytes <= bytesMax);
        }
        finish();
        assert.deepEqual(
          batches,
          kept.map((records) => encodeBatch(records)),
        );
        assert.deepEqual(splitBatches(concatBytes(batches)), batches);
      },
    ),
    { numRuns: RUNS },
  );
});

test("records that no batch could hold leave the builder as it was", () => {
  const builder = new BatchBuilder();
  const early = { timestampMs: -1, value: text("a") };
  const late = { timestampMs: Number.MAX_SAFE_INTEGER, value: text("b") };
  assert.throws(() => builder.tryAppend([early, late]), { code: "INVALID_RECORD" });
  assert.equal(builder.count, 0);
  assert.ok(builder.tryAppend([early]));
  assert.ok(!builder.tryAppend([late]));
  assert.deepEqual(builder.build().bytes, encodeBatch([early]));
  assert.ok(builder.tryAppend([late]));
  assert.deepEqual(builder.build().bytes, encodeBatch([late]));
});

test("any bytes are opened or refused with an error of ours", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.deepEqual(unexpected(bytes), []);
      // The same behind a header that says v2 and the right length, so that more than the first check is reached.
      const batch = new Uint8Array(61 + bytes.length);
      batch.set(bytes, 61);
      const view = viewOf(batch);
      view.setInt32(8, batch.length - 12);
      view.setInt8(16, 2);
      batch.set(bytes.subarray(0, 4), 57);
      batch[22] = (bytes[4] ?? 0) & 1;
      assert.deepEqual(unexpected(batch), []);
    }),
    { numRuns: RUNS * 10 },
  );
});

test("a batch with a changed byte fails its CRC, or parses, or is refused with an error of ours", () => {
  fc.assert(
    fc.property(
      recordsArbitrary,
      optionsArbitrary,
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (records, options, at, mask) => {
        const batch = encodeBatch(records, options);
        const position = at % batch.length;
        viewOf(batch).setUint8(position, viewOf(batch).getUint8(position) ^ mask);
        if (position >= 17) assert.throws(() => verifyBatch(batch), { code: "CORRUPT_BATCH" });
        assert.deepEqual(unexpected(batch), []);
        if (position < 21) return;
        // With a matching CRC, as a faulty producer would send it.
        patchMaxTimestamp(viewOf(batch), 5);
        assert.deepEqual(unexpected(batch), []);
      },
    ),
    { numRuns: RUNS * 2 },
  );
});

test("a batch cut anywhere is truncated", () => {
  fc.assert(
    fc.property(recordsArbitrary, fc.nat(), (records, at) => {
      const batch = encodeBatch(records);
      const cut = batch.subarray(0, 1 + (at % (batch.length - 1)));
      assert.throws(() => verifyBatch(cut), { code: "TRUNCATED_BATCH" });
      assert.throws(() => decodeBatch(cut), { code: "TRUNCATED_BATCH" });
    }),
    { numRuns: RUNS },
  );
});

test("opening off the event loop gives the same records", async () => {
  await fc.assert(
    fc.asyncProperty(recordsArbitrary, optionsArbitrary, async (records, options) => {
      const batch = encodeBatch(records, options);
      const here = openBatch(batch);
      const there = await openBatchAsync(batch);
      while (here.next()) {
        assert.ok(there.next());
        assert.deepEqual(there.record(), here.record());
      }
      assert.equal(there.next(), false);
    }),
    { numRuns: Math.ceil(RUNS / 4) },
  );
});

/** What the bytes made our functions throw that is not an error of ours. */
function unexpected(bytes: Uint8Array): unknown[] {
  const errors: unknown[] = [];
  for (const attempt of [
    () => validateBatch(bytes, { bytesMax: 1000 }),
    () => verifyBatch(bytes),
    () => decodeBatch(bytes),
    () => splitBatches(bytes),
  ]) {
    try {
      attempt();
    } catch (error) {
      if (!isKarstError(error, "corrupt", "invalid")) errors.push(error);
    }
  }
  return errors;
}
