import assert from "node:assert/strict";
import type { Engine, Stream } from "@karst/core";
import { beforeEach, test } from "vitest";
import { checkPayload, put, range, readAll, World } from "./world.ts";

let world: World;
let engine: Engine;
let stream: Stream;

beforeEach(async () => {
  world = new World();
  const streamId = await world.createStream();
  engine = await world.open();
  stream = await engine.openStream(streamId);
});

test("a new stream is empty, and this node's", () => {
  assert.deepEqual(
    [stream.logStartOffset, stream.highWatermark, stream.logEndOffset, stream.epoch],
    [0, 0, 0, 1],
  );
  assert.equal(stream.readCached({ from: 0, bytesMax: 10 })?.batches.length, 0);
});

test("what is appended gets offsets at once and is visible when durable", async () => {
  const first = put(stream, { count: 3 });
  const second = put(stream);
  assert.equal(second.baseOffset, 3);
  assert.deepEqual([stream.highWatermark, stream.logEndOffset], [0, 4]);
  assert.equal(stream.readCached({ from: 0, bytesMax: 1000 })?.batches.length, 0);
  await first.durable;
  await second.durable;
  assert.equal(stream.highWatermark, 4);
  assert.deepEqual(await readAll(stream), [0, 3]);
});

test("advances are told after each group, never from inside append", async () => {
  const seen: number[] = [];
  const stop = stream.onAdvance(() => seen.push(stream.highWatermark));
  const { durable } = put(stream);
  assert.deepEqual(seen, []);
  await durable;
  assert.deepEqual(seen, [1]);
  stop();
  await put(stream).durable;
  assert.deepEqual(seen, [1]);
});

test("a listener that throws harms nobody, and is reported", async () => {
  stream.onAdvance(() => {
    throw new Error("mine");
  });
  let told = 0;
  stream.onAdvance(() => (told += 1));
  await put(stream).durable;
  assert.equal(told, 1);
  assert.equal(world.runtime.log.of("advance-listener-failed").length, 1);
});

test("a read stops at its bounds", async () => {
  for (let i = 0; i < 5; i += 1) put(stream, { count: 2, bytes: 100 });
  await put(stream).durable;
  const offsets = async (options: Parameters<Stream["read"]>[0]): Promise<readonly number[]> => {
    const read = await stream.read(options);
    const found = read.batches.map((batch) => batch.baseOffset);
    assert.equal(stream.readCached(options)?.nextOffset, read.nextOffset);
    read.release();
    return found;
  };
  assert.deepEqual(await offsets({ from: 3, bytesMax: 1 }), [2]);
  assert.deepEqual(await offsets({ from: 3, bytesMax: 250 }), [2, 4]);
  assert.deepEqual(await offsets({ from: 3, bytesMax: 1000, before: 7 }), [2, 4]);
  assert.deepEqual(await offsets({ from: 11, bytesMax: 1000 }), []);
  await assert.rejects(stream.read({ from: 12, bytesMax: 1000 }), {
    code: "OFFSET_OUT_OF_RANGE",
    kind: "out_of_range",
  });
  await assert.rejects(
    stream.read({ from: 0, bytesMax: 10, signal: AbortSignal.abort(new Error("stop")) }),
    /stop/,
  );
});

test("an offset beyond the end leaves a hole, one below it is refused", async () => {
  put(stream, { count: 2 });
  await put(stream, { baseOffset: 1_000 }).durable;
  assert.equal(stream.logEndOffset, 1_001);
  assert.throws(() => put(stream, { baseOffset: 1_000 }), {
    code: "OFFSET_BEFORE_END",
    kind: "invalid",
  });
  assert.throws(() => put(stream, { baseOffset: Number.MAX_SAFE_INTEGER - 10 }), {
    code: "OFFSET_BEYOND_END",
  });
  assert.deepEqual(await readAll(stream), [0, 1_000]);
  assert.deepEqual(await readAll(stream, 500), [1_000]);
});

test("what no batch can be is misuse; what is too large is refused", () => {
  const payload = new Uint8Array(10);
  assert.throws(
    () => stream.append({ payload: new Uint8Array(0), count: 1, maxTimestampMs: -1 }),
    TypeError,
  );
  assert.throws(() => stream.append({ payload, count: 0, maxTimestampMs: -1 }), TypeError);
  assert.throws(() => stream.append({ payload, count: 1.5, maxTimestampMs: -1 }), TypeError);
  assert.throws(() => stream.append({ payload, count: 1, maxTimestampMs: -2 }), TypeError);
  assert.throws(
    () => stream.append({ payload: new Uint8Array(16 * 1024 + 1), count: 1, maxTimestampMs: -1 }),
    { code: "FRAME_TOO_LARGE" },
  );
  assert.equal(stream.logEndOffset, 0);
});

test("one handle per stream; a closed one refuses, and may be followed by another", async () => {
  await assert.rejects(engine.openStream(stream.streamId), {
    code: "STREAM_OPEN",
    kind: "conflict",
  });
  const { durable } = put(stream);
  await stream.close();
  await durable;
  assert.throws(() => put(stream), { code: "STREAM_CLOSED" });
  await assert.rejects(stream.read({ from: 0, bytesMax: 1 }), { code: "STREAM_CLOSED" });
  const next = await engine.openStream(stream.streamId);
  assert.deepEqual(await readAll(next), [0]);
  assert.equal(next.epoch, 1);
});

test("a stream that does not exist is not found", async () => {
  await assert.rejects(engine.openStream(999), { code: "STREAM_NOT_FOUND", kind: "not_found" });
});

test("a stream made by somebody else meanwhile is found", async () => {
  const other = await engine.openStream(await world.createStream());
  await put(other).durable;
  assert.deepEqual(await readAll(other), [0]);
});

test("streams share the log and do not see each other", async () => {
  const other = await engine.openStream(await world.createStream());
  for (let i = 0; i < 20; i += 1) {
    put(stream);
    await put(other, { count: 2 }).durable;
  }
  await put(stream).durable;
  assert.deepEqual(await readAll(stream), range(0, 21));
  assert.deepEqual(await readAll(other), range(0, 40, 2));
});

test("a timestamp is found in offset order", async () => {
  for (const timestampMs of [10, 30, 20, 40]) put(stream, { count: 2, timestampMs });
  await put(stream, { timestampMs: -1 }).durable;
  const find = async (timestampMs: number): Promise<number | undefined> =>
    (await stream.findByTimestamp(timestampMs))?.baseOffset;
  assert.deepEqual(
    [await find(0), await find(11), await find(31), await find(41)],
    [0, 2, 6, undefined],
  );
  await engine.upload();
  assert.deepEqual(
    [await find(0), await find(11), await find(31), await find(41)],
    [0, 2, 6, undefined],
  );
  await put(stream, { timestampMs: 50 }).durable;
  assert.equal(await find(41), 9);
});

test("the read that a caller holds outlives eviction", async () => {
  for (let i = 0; i < 10; i += 1) put(stream, { bytes: 1000 });
  await put(stream).durable;
  const held = await stream.read({ from: 0, bytesMax: 5000 });
  await engine.upload();
  for (let i = 0; i < 100; i += 1) {
    await put(stream, { bytes: 8000 }).durable;
    if (i % 5 === 0) await engine.upload();
  }
  assert.equal(held.batches.length, 5);
  for (const batch of held.batches) checkPayload(stream.streamId, batch);
  held.release();
});

test("closing the engine gives all of its memory back", async () => {
  for (let i = 0; i < 30; i += 1) await put(stream, { bytes: 2000 }).durable;
  await engine.upload();
  await readAll(stream);
  await engine.close();
  assert.equal(world.memory.reservedBytes, 0);
});
