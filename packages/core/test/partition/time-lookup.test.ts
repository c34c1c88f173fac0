import assert from "node:assert/strict";
import * as fc from "fast-check";
import { afterEach, beforeEach, test } from "vitest";
import type { PartitionLog } from "@karst/core";
import { batchOf, changed, NOW } from "./batches.ts";
import { World } from "./world.ts";

const RUNS = Number(process.env["KARST_RUNS"] ?? 40);

let world: World;

beforeEach(async () => {
  world = await new World().open();
});

afterEach(() => world.close());

const at = (...times: number[]): { value: string; timestampMs: number }[] =>
  times.map((time) => ({ value: `at ${time}`, timestampMs: NOW + time }));

async function offsetAt(log: PartitionLog, time: number): Promise<[number, number] | undefined> {
  const found = await log.offsetForTimestamp(NOW + time);
  return found && [found.offset, found.timestampMs - NOW];
}

async function latest(log: PartitionLog): Promise<[number, number] | undefined> {
  const found = await log.offsetOfMaxTimestamp();
  return found && [found.offset, found.timestampMs - NOW];
}

test("an empty log has no times", async () => {
  const log = await world.partition("t");
  assert.equal(await offsetAt(log, 0), undefined);
  assert.equal(await latest(log), undefined);
  // Not durable yet, so not there.
  const append = log.append(batchOf(at(5)));
  assert.equal(await offsetAt(log, 0), undefined);
  await append.durable;
  assert.deepEqual(await offsetAt(log, 0), [0, 5]);
});

test("the exact record inside a batch, compressed or not", async () => {
  const log = await world.partition("t");
  log.append(batchOf(at(10, 30, 20)));
  await log.append(batchOf(at(25, 40, 40), { codec: "gzip" })).durable;
  assert.deepEqual(await offsetAt(log, 0), [0, 10]);
  assert.deepEqual(await offsetAt(log, 11), [1, 30]);
  assert.deepEqual(await offsetAt(log, 30), [1, 30]);
  assert.deepEqual(await offsetAt(log, 31), [4, 40]);
  assert.equal(await offsetAt(log, 41), undefined);
  assert.deepEqual(await latest(log), [4, 40]);
});

test("a batch that cannot be opened answers with its first record", async () => {
  const log = await world.partition("t");
  log.append(batchOf(at(1)));
  // Said to be of each codec, and of none of them.
  for (const codec of [1, 2, 3, 4]) {
    await log.append(changed(batchOf(at(10, 30)), (view) => view.setInt16(21, codec))).durable;
  }
  assert.deepEqual(await offsetAt(log, 15), [1, 30]);
  assert.deepEqual(await latest(log), [1, 30]);
});

test("so does a batch that cannot be walked to its end", async () => {
  const log = await world.partition("t");
  const of = (count: number): Uint8Array =>
    changed(batchOf(at(1, 30), { codec: "gzip" }), (view) => {
      view.setInt32(57, count);
      view.setInt32(23, count - 1);
    });
  for (const count of [1, 5]) await log.append(of(count)).durable;
  await log.append(batchOf(at(40))).durable;
  assert.deepEqual(await offsetAt(log, 1), [0, 1]);
  assert.deepEqual(await offsetAt(log, 15), [0, 30]);
  assert.deepEqual(await offsetAt(log, 35), [6, 40]);
  assert.deepEqual(await latest(log), [6, 40]);
});

test("records below the log start are no answer, also inside the batch where the log begins", async () => {
  const log = await world.partition("t");
  log.append(batchOf(at(50, 10)));
  await log.append(batchOf(at(20, 60))).durable;
  await log.trim(1);
  assert.deepEqual(await offsetAt(log, 0), [1, 10]);
  assert.deepEqual(await offsetAt(log, 15), [2, 20]);
  assert.deepEqual(await offsetAt(log, 45), [3, 60]);
  await log.trim(4);
  assert.equal(await offsetAt(log, 0), undefined);
  assert.equal(await latest(log), undefined);
});

test("a header that promises too much costs nothing but time", async () => {
  const log = await world.partition("t");
  log.append(
    changed(batchOf(at(10), { codec: "gzip" }), (view) => view.setBigInt64(35, BigInt(NOW + 90))),
  );
  await log.append(batchOf(at(50))).durable;
  assert.deepEqual(await offsetAt(log, 20), [1, 50]);
  assert.equal(await offsetAt(log, 80), undefined);
  assert.deepEqual(await latest(log), [1, 50]);
});

test("LogAppendTime is every record's time", async () => {
  const log = await world.partition("t", { "message.timestamp.type": "LogAppendTime" });
  log.append(batchOf(at(-5000, -4000)));
  await world.runtime.clock.advance(100);
  await log.append(batchOf(at(-5000, -4000))).durable;
  assert.deepEqual(await offsetAt(log, 0), [0, 0]);
  assert.deepEqual(await offsetAt(log, 1), [2, 100]);
  assert.deepEqual(await latest(log), [2, 100]);
});

test("records without a time are found by none", async () => {
  const log = await world.partition("t");
  await log.append(batchOf([{ value: "a", timestampMs: -1 }])).durable;
  assert.equal(await log.offsetForTimestamp(0), undefined);
  assert.equal(await log.offsetOfMaxTimestamp(), undefined);
});

test("lookups agree with a search over all records", async () => {
  const batch = fc.record({
    times: fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 5 }),
    codec: fc.constantFrom("none", "gzip", "snappy", "lz4", "zstd"),
    upload: fc.boolean(),
  });
  let name = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { maxLength: 8 }), fc.nat(30), async (batches, trim) => {
      name += 1;
      const log = await world.partition(`t${name}`);
      for (const { times, codec, upload } of batches) {
        await log.append(batchOf(at(...times), { codec })).durable;
        if (upload) await world.engine.upload();
      }
      const start = Math.min(trim, log.highWatermark);
      await log.trim(start);
      const records = batches
        .flatMap((one) => one.times)
        .map((time, offset) => [offset, time] as const);
      const readable = records.filter(([offset]) => offset >= start);
      for (const time of [-1001, -500, 0, 500, ...records.map((record) => record[1])]) {
        assert.deepEqual(
          await offsetAt(log, time),
          readable.find((record) => record[1] >= time),
        );
      }
      const max = Math.max(...readable.map((record) => record[1]));
      assert.deepEqual(
        await latest(log),
        readable.find((record) => record[1] === max),
      );
    }),
    { numRuns: RUNS },
  );
});
