// A block in which a read finds nothing must not take part of the cache from the block after it.
// Found by the model test, seed 0: append with holes, trim into a hole, read.
import assert from "node:assert/strict";
import { test } from "vitest";
import { put, readAll, World } from "../engine/world.ts";

test("a cache of one block reads on over holes", async () => {
  const world = new World();
  const engine = await world.open({ limits: { blockBytes: 512, blockCacheBytes: 1024 } });
  const streamId = await world.createStream();
  let stream = await engine.openStream(streamId);
  const expected: number[] = [];
  for (let i = 0; i < 6; i += 1) {
    const { baseOffset, durable } = put(stream, {
      baseOffset: stream.logEndOffset + 100,
      bytes: 700,
    });
    await durable;
    expected.push(baseOffset);
  }
  await engine.upload();
  world.runtime.disk.crash();
  await engine.abandon();
  const next = await world.open({ limits: { blockBytes: 512, blockCacheBytes: 1024 } });
  stream = await next.openStream(streamId);
  for (let from = 0; from < stream.highWatermark; from += 50) {
    assert.deepEqual(
      await readAll(stream, from),
      expected.filter((offset) => offset >= from),
    );
  }
  await next.close();
});
