import assert from "node:assert/strict";
import {
  nodeRow,
  objectRow,
  streamEndRow,
  streamOwnerRow,
  type Engine,
  type Stream,
} from "@karst/core";
import { randomId } from "@karst/runtime";
import { beforeEach, test } from "vitest";
import { put, range, readAll, TINY_LIMITS, World } from "./world.ts";

const MANY_STREAMS = {
  memoryBudgetBytes: 256 * 1024 * 1024,
  uploadBytes: 16 * 1024 * 1024,
  unuploadedBytesMax: 64 * 1024 * 1024,
};

let world: World;
let engine: Engine;
let stream: Stream;

beforeEach(async () => {
  world = new World();
  const streamId = await world.createStream();
  engine = await world.open();
  stream = await engine.openStream(streamId);
});

const counted = (name: string): number => world.runtime.metrics.value(name);

/** Keys of data objects in the store. */
function stored(): readonly string[] {
  return world.bucket.keys("objects/", "", 10_000);
}

test("nothing is uploaded below the limits; a full generation is", async () => {
  await put(stream, { bytes: 1000 }).durable;
  assert.deepEqual(stored(), []);
  for (let i = 0; i < 8; i += 1) await put(stream, { bytes: 1000 }).durable;
  await engine.upload();
  assert.ok(counted("karst_uploads_total") >= 1);
  assert.ok(counted("karst_wal_trims_total") >= 1);
  assert.equal(stored().length, [...objectRow.scan(engine.catalogue)].length);
});

test("age uploads too", async () => {
  await put(stream).durable;
  await world.runtime.clock.advance(59_000);
  assert.deepEqual(stored(), []);
  await world.runtime.clock.advance(2_000);
  assert.equal(stored().length, 1);
  assert.equal(streamEndRow.get(engine.catalogue, stream.streamId)?.value.offset, 1);
});

test("an upload is one commit: objects, ends and the WAL's trim", async () => {
  const other = await engine.openStream(await world.createStream());
  for (let i = 0; i < 5; i += 1) {
    put(stream, { bytes: 1000 });
    put(other, { bytes: 100, count: 2 });
  }
  const before = engine.catalogue.revision;
  await stream.upload();
  assert.equal(engine.catalogue.revision, before + 1);
  const rows = [...objectRow.scan(engine.catalogue)].map((row) => [
    row.value.kind,
    [...row.value.ranges.streamId],
    [...row.value.ranges.end],
  ]);
  assert.deepEqual(rows, [
    ["stream", [stream.streamId], [5]],
    ["stream-set", [other.streamId], [10]],
  ]);
  const node = nodeRow.get(engine.catalogue, engine.nodeId)?.value;
  assert.equal(node?.decidedSeq, 2);
  assert.ok((node?.wals[0]?.trim ?? 0) > 0);
});

test("reads are the same from memory, from objects, and across both", async () => {
  const expected: number[] = [];
  for (let i = 0; i < 60; i += 1) {
    expected.push(put(stream, { count: 1 + (i % 3), bytes: 200 + 50 * (i % 7) }).baseOffset);
    if (i % 13 === 12) await engine.upload();
  }
  await put(stream, { baseOffset: stream.logEndOffset + 50 }).durable;
  expected.push(stream.logEndOffset - 1);
  assert.deepEqual(await readAll(stream), expected);
  await engine.abandon();
  engine = await world.open();
  stream = await engine.openStream(stream.streamId);
  for (const bytesMax of [1, 700, 100_000])
    assert.deepEqual(await readAll(stream, 0, bytesMax), expected);
  for (const from of [1, 17, 40, 80, 100, 160]) {
    const first = expected.findLastIndex((offset) => offset <= from);
    const offsets = await readAll(stream, from);
    assert.ok(offsets.length >= expected.length - first - 1);
    assert.deepEqual(offsets, expected.slice(-offsets.length));
  }
});

test("one request serves all who want a block", async () => {
  for (let i = 0; i < 5; i += 1) put(stream, { bytes: 300 });
  await engine.upload();
  await engine.abandon();
  engine = await world.open();
  stream = await engine.openStream(stream.streamId);
  const before = counted("karst_object_gets_total");
  const reads = await Promise.all(range(0, 10).map(() => stream.read({ from: 0, bytesMax: 1 })));
  for (const read of reads) read.release();
  // The index, the block, and the one that is read ahead.
  assert.equal(counted("karst_object_gets_total") - before, 3);
});

test("above the limit of what is not uploaded appends are refused, before anything is kept, until uploads get on", async () => {
  world.store.down();
  let taken = 0;
  const refuse = (): void => {
    for (;;) {
      last = put(stream, { bytes: 4000 }).durable;
      taken += 1;
    }
  };
  let last: Promise<void> | undefined;
  assert.throws(refuse, { code: "UPLOAD_BACKLOG_FULL", kind: "unavailable" });
  assert.ok(taken >= 10);
  await last;
  const { logEndOffset } = stream;
  assert.throws(() => put(stream, { bytes: 4000 }), { code: "UPLOAD_BACKLOG_FULL" });
  assert.equal(stream.logEndOffset, logEndOffset);
  for (let i = 0; i < 30; i += 1) await world.runtime.clock.advance(1_000);
  assert.throws(() => put(stream, { bytes: 4000 }), { code: "UPLOAD_BACKLOG_FULL" });
  assert.deepEqual(await readAll(stream), range(0, taken));
  world.store.up();
  await world.drive(engine.upload());
  await put(stream, { bytes: 4000 }).durable;
  assert.deepEqual(await readAll(stream), range(0, taken + 1));
});

test("lost answers of object writes and commits leave one of everything", async () => {
  let faults = 0;
  world.store.setPlan((call, random) => {
    if (call.method !== "putIfAbsent" || random.u32() % 2 === 0) return undefined;
    faults += 1;
    return { tag: faults % 2 === 0 ? "lost-answer" : "lost-request" };
  });
  for (let i = 0; i < 40; i += 1) {
    put(stream, { bytes: 700 });
    if (i % 8 === 7) await world.drive(engine.upload());
  }
  await world.drive(engine.upload());
  world.store.setPlan(() => undefined);
  assert.ok(faults > 5);
  assert.deepEqual(await readAll(stream), range(0, 40));
  assert.deepEqual(
    stored().toSorted(),
    [...objectRow.scan(engine.catalogue)].map((row) => row.key),
  );
  await engine.abandon();
  engine = await world.open();
  stream = await engine.openStream(stream.streamId);
  assert.deepEqual(await readAll(stream), range(0, 40));
});

test("a stream deleted meanwhile is left out, and its handle ends", async () => {
  const other = await engine.openStream(await world.createStream());
  put(stream, { bytes: 100 });
  await put(other, { bytes: 100 }).durable;
  const { catalogue } = engine;
  const gone = await catalogue.commit({
    id: randomId(world.runtime.random),
    require: [],
    put: [],
    delete: [streamOwnerRow.key(other.streamId), streamEndRow.key(other.streamId)],
  });
  assert.equal(gone.tag, "ok");
  let told = 0;
  other.onAdvance(() => (told += 1));
  await engine.upload();
  assert.equal(told, 1);
  assert.throws(() => put(other), { code: "STREAM_FENCED" });
  assert.equal(streamEndRow.get(catalogue, stream.streamId)?.value.offset, 1);
  const [row] = [...objectRow.scan(catalogue)];
  assert.deepEqual([...(row?.value.ranges.streamId ?? [])], [stream.streamId]);
  assert.deepEqual(await readAll(stream), [0]);
});

test("a stream that does not continue what the catalogue has is set apart; the others go on, and the WAL is kept", async () => {
  const other = await engine.openStream(await world.createStream());
  put(stream);
  await put(other).durable;
  await engine.upload();
  const { catalogue } = engine;
  const { trim } = nodeRow.get(catalogue, engine.nodeId)?.value.wals[0] ?? assert.fail();
  await put(other).durable;
  await catalogue.commit({
    id: randomId(world.runtime.random),
    require: [],
    put: [streamEndRow.put(other.streamId, { offset: 0, stateObject: undefined })],
    delete: [],
  });
  await engine.upload();
  assert.throws(() => put(other), { code: "STREAM_QUARANTINED", kind: "corrupt" });
  await assert.rejects(other.upload(), { code: "STREAM_QUARANTINED" });
  assert.equal(nodeRow.get(catalogue, engine.nodeId)?.value.wals[0]?.trim, trim);
  await put(stream).durable;
  await engine.upload();
  assert.equal(streamEndRow.get(catalogue, stream.streamId)?.value.offset, 2);
  assert.deepEqual(await readAll(stream), [0, 1]);
  assert.equal(world.runtime.log.of("stream-quarantined").length, 1);
  await assert.rejects(engine.close(), { code: "STREAM_QUARANTINED" });
  assert.equal(nodeRow.get(catalogue, engine.nodeId)?.value.state.tag, "open");
  // The restart sees the same, and refuses: an operator is needed.
  await assert.rejects(world.open(), { code: "RECOVERY_CORRUPT" });
});

test("a flipped bit in an object is found, read again, and only then reported", async () => {
  for (let i = 0; i < 3; i += 1) put(stream, { bytes: 300 });
  await engine.upload();
  await engine.abandon();
  engine = await world.open();
  stream = await engine.openStream(stream.streamId);
  let left = 1;
  world.store.setPlan((call) => {
    if (call.method !== "get" || !call.key.startsWith("objects/") || left === 0) return undefined;
    left -= 1;
    return { tag: "flipped-bit" };
  });
  assert.deepEqual(await readAll(stream), [0, 1, 2]);
  assert.equal(counted("karst_object_checks_failed_total"), 1);

  await engine.abandon();
  engine = await world.open();
  stream = await engine.openStream(stream.streamId);
  world.store.setPlan((call) =>
    call.method === "get" && call.key.startsWith("objects/") ? { tag: "flipped-bit" } : undefined,
  );
  await assert.rejects(readAll(stream), { code: "OBJECT_CORRUPT", kind: "corrupt" });
  world.store.setPlan(() => undefined);
  assert.deepEqual(await readAll(stream), [0, 1, 2]);
});

test("an object that is gone is corruption, an answer that it is gone is not", async () => {
  put(stream, { bytes: 300 });
  await engine.upload();
  await engine.abandon();
  engine = await world.open();
  stream = await engine.openStream(stream.streamId);
  let left = 1;
  world.store.setPlan((call) => {
    if (call.method !== "get" || !call.key.startsWith("objects/") || left === 0) return undefined;
    left -= 1;
    return { tag: "not-found" };
  });
  assert.deepEqual(await readAll(stream), [0]);
  await engine.abandon();
  for (const key of stored()) world.bucket.delete(key);
  engine = await world.open();
  stream = await engine.openStream(stream.streamId);
  await assert.rejects(readAll(stream), { code: "OBJECT_MISSING", kind: "corrupt" });
});

test("memory is bounded, whatever is written and read", async () => {
  let most = 0;
  for (let i = 0; i < 400; i += 1) {
    await put(stream, { bytes: 3000 }).durable;
    most = Math.max(most, world.memory.reservedBytes);
    if (i % 50 === 49) await readAll(stream, Math.max(0, i - 120), 20_000);
  }
  await engine.upload();
  assert.deepEqual(await readAll(stream), range(0, 400));
  assert.ok(most <= (TINY_LIMITS.memoryBudgetBytes ?? 0));
});

test("very many streams are uploaded in several transactions, and recovered as well", async () => {
  await engine.close();
  world.loseWal();
  const first = await world.createStreams(12_000);
  engine = await world.open({ limits: MANY_STREAMS });
  const handles = await Promise.all(
    range(first, first + 12_000).map((id) => engine.openStream(id)),
  );
  const putAll = async (): Promise<void> => {
    for (const [i, handle] of handles.entries()) {
      const { durable } = put(handle, { bytes: 20 });
      if (i % 500 === 499) await durable;
    }
  };
  await putAll();
  await engine.upload();
  assert.ok(counted("karst_uploads_total") >= 2);
  for (const handle of handles.slice(0, 10)) assert.deepEqual(await readAll(handle), [0]);
  await putAll();
  const before = counted("karst_uploads_total");
  await engine.abandon();
  engine = await world.open({ limits: MANY_STREAMS });
  await engine.upload();
  assert.ok(counted("karst_uploads_total") - before >= 1);
  stream = await engine.openStream(first + 11_999);
  assert.deepEqual(await readAll(stream), [0, 1]);
});
