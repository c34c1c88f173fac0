import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "vitest";
import { batchOf, contents } from "./batches.ts";
import { World } from "./world.ts";

let world: World;

beforeEach(async () => {
  world = await new World().open();
});

afterEach(() => world.close());

test("whole batches from the one that contains the offset, at least one, as many as fit", async () => {
  const log = await world.partition("t");
  const batches = [batchOf(["a", "b", "c"]), batchOf(["d"]), batchOf(["e"])];
  for (const batch of batches) log.append(batch);
  await world.engine.upload();
  for (const isolation of ["read_uncommitted", "read_committed"] as const) {
    const one = await log.read({ from: 1, bytesMax: 1, isolation });
    assert.deepEqual(
      one.batches.map((batch) => [batch.baseOffset, batch.endOffset]),
      [[0, 3]],
    );
    assert.equal(one.nextOffset, 3);
    assert.deepEqual([one.highWatermark, one.lastStableOffset, one.logStartOffset], [5, 5, 0]);
    assert.deepEqual(one.abortedTransactions, []);
    one.release();
    const all = await log.read({ from: 0, bytesMax: 10_000, isolation });
    assert.equal(all.batches.length, 3);
    all.release();
  }
});

test("the end is empty, beyond it and below the start is out of range", async () => {
  const log = await world.partition("t");
  await log.append(batchOf(["a", "b"])).durable;
  const end = await log.read({ from: 2, bytesMax: 100, isolation: "read_uncommitted" });
  assert.deepEqual([end.batches.length, end.nextOffset], [0, 2]);
  end.release();
  const outOfRange = { kind: "out_of_range", code: "OFFSET_OUT_OF_RANGE" };
  await assert.rejects(
    log.read({ from: 3, bytesMax: 100, isolation: "read_uncommitted" }),
    outOfRange,
  );
  await assert.rejects(
    log.read({ from: 3, bytesMax: 100, isolation: "read_committed" }),
    outOfRange,
  );
  await log.trim(1);
  await assert.rejects(
    log.read({ from: 0, bytesMax: 100, isolation: "read_uncommitted" }),
    outOfRange,
  );
  assert.throws(
    () => log.readCached({ from: 0, bytesMax: 100, isolation: "read_uncommitted" }),
    outOfRange,
  );
  await assert.rejects(log.trim(3), outOfRange);
  await log.trim(0);
  assert.equal(log.logStartOffset, 1);
  assert.deepEqual(await contents(log), ["1:b"]);
});

test("memory answers without waiting", async () => {
  const log = await world.partition("t");
  await log.append(batchOf(["a"])).durable;
  const read = log.readCached({ from: 0, bytesMax: 100, isolation: "read_committed" });
  assert.equal(read?.batches.length, 1);
  read?.release();
});

test("listeners hear of appends, trims and the end, until they unsubscribe", async () => {
  const log = await world.partition("t");
  const seen: string[] = [];
  const unsubscribe = log.onAdvance(() =>
    seen.push(`${log.logStartOffset}..${log.highWatermark}${log.closed ? " closed" : ""}`),
  );
  await log.append(batchOf(["a", "b"])).durable;
  await log.trim(1);
  assert.deepEqual(seen, ["0..2", "1..2"]);
  await log.close();
  assert.equal(seen.at(-1), "1..2 closed");
  const heard = seen.length;
  unsubscribe();
  assert.equal(seen.length, heard);
});

test("a closed partition is read no more", async () => {
  const log = await world.partition("t");
  await log.append(batchOf(["a"])).durable;
  await log.close();
  await log.close();
  const closed = { kind: "closed", code: "PARTITION_CLOSED" };
  await assert.rejects(log.read({ from: 0, bytesMax: 1, isolation: "read_uncommitted" }), closed);
  assert.throws(
    () => log.readCached({ from: 0, bytesMax: 1, isolation: "read_uncommitted" }),
    closed,
  );
  await assert.rejects(log.offsetForTimestamp(0), closed);
  await assert.rejects(log.offsetOfMaxTimestamp(), closed);
  await assert.rejects(log.trim(0), closed);
});

test("appends that are under way settle before a close does", async () => {
  const log = await world.partition("t");
  const append = log.append(batchOf(["a"]));
  let durable = false;
  const settled = append.durable.then(() => {
    durable = true;
  });
  await log.close();
  await settled;
  assert.equal(durable, true);
});
