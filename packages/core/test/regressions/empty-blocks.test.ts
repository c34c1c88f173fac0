// A range of nothing but holes, or of what was trimmed before its upload, is a block of no bytes: it has the position of the block
// after it, and the cache took the one for the other, so that acknowledged batches were not shown.
// Found by the model test, seed 0: append with a hole, crash, append to another stream.
import assert from "node:assert/strict";
import { test } from "vitest";
import { put, readAll, World } from "../engine/world.ts";

test("a stream is read whole beside one of holes", async () => {
  const world = new World();
  let engine = await world.open();
  const [holes, whole] = [await world.createStream(), await world.createStream()];
  assert.ok(holes < whole, "the object has it first");
  // The hole has a group of its own, and what was to follow it is lost with the next one.
  const { disk } = world.runtime;
  const path = (one: string): boolean =>
    disk.listAll().includes(one.replace("temporary-segment-", "segment-"));
  disk.fault({ on: "datasync", path, effect: "lost-sync", after: 1 });
  const { durable } = put(await engine.openStream(holes), { baseOffset: 10, bytes: 9_000 });
  await assert.rejects(durable);
  disk.crash({ keep: "synced" });
  await engine.abandon();

  engine = await world.open();
  const expected: number[] = [];
  const stream = await engine.openStream(whole);
  for (let i = 0; i < 3; i += 1) {
    const { baseOffset, durable: stored } = put(stream);
    await stored;
    expected.push(baseOffset);
  }
  await engine.upload();
  world.runtime.disk.crash();
  await engine.abandon();

  engine = await world.open();
  const hole = await engine.openStream(holes);
  assert.equal(hole.highWatermark, 10);
  assert.deepEqual(await readAll(hole), []);
  assert.deepEqual(await readAll(await engine.openStream(whole)), expected);
  await engine.close();
});
