// The uploaded part of the log cache may fill all memory; where it left less than a block, what had been evicted from it could not be
// read until somebody appended.
import assert from "node:assert/strict";
import type { Stream } from "@karst/core";
import { test } from "vitest";
import { put, readAll, World } from "../engine/world.ts";

const MEMORY_BYTES = 128 * 1024;
const BATCH_BYTES = 2_500;

function isCold(stream: Stream): boolean {
  const read = stream.readCached({ from: 0, bytesMax: 1 });
  read?.release();
  return read === undefined;
}

test("while the log cache holds all memory, what is in objects alone can be read", async () => {
  const world = new World();
  const engine = await world.open({
    limits: {
      memoryBudgetBytes: MEMORY_BYTES,
      unuploadedBytesMax: 32 * 1024,
      blockCacheBytes: 16 * 1024,
    },
  });
  const stream = await engine.openStream(await world.createStream());
  while (!isCold(stream) || world.memory.freeBytes >= BATCH_BYTES) {
    await put(stream, { bytes: BATCH_BYTES }).durable;
    if (stream.logEndOffset % 5 === 0) await engine.upload();
    assert.ok(stream.logEndOffset < 1_000, "memory does not get short");
  }
  assert.equal((await readAll(stream)).length, stream.logEndOffset);
  assert.ok(world.memory.reservedBytes <= MEMORY_BYTES);
  await engine.close();
  assert.equal(world.memory.reservedBytes, 0);
});
