import assert from "node:assert/strict";
import {
  type Engine,
  nodeRow,
  objectRow,
  type Stream,
  type StreamBatch,
  streamEndRow,
  streamOwnerRow,
  type StreamState,
} from "@karst/core";
import { getInt64, isKarstError, setInt64, viewOf } from "@karst/runtime";
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

const counted = (name: string): number => world.runtime.metrics.value(name);

/** The power goes, and a new process comes. */
async function crash(keep: "random" | "synced" | "all" = "random"): Promise<void> {
  world.runtime.disk.crash({ keep });
  await engine.abandon();
  engine = await world.open();
  stream = await engine.openStream(stream.streamId);
}

/** Counts batches and sums up offsets; says nothing while it has seen nothing. */
class SumState implements StreamState {
  count = 0;
  sum = 0;
  restoredAt: number | undefined;
  applied = 0;

  encode(): Uint8Array | undefined {
    if (this.count === 0) return undefined;
    const bytes = new Uint8Array(16);
    setInt64(viewOf(bytes), 0, this.count);
    setInt64(viewOf(bytes), 8, this.sum);
    return bytes;
  }

  restore(state: Uint8Array | undefined, offset: number): void {
    assert.equal(this.restoredAt, undefined);
    this.restoredAt = offset;
    if (state === undefined) return;
    this.count = getInt64(viewOf(state), 0);
    this.sum = getInt64(viewOf(state), 8);
  }

  apply(batch: StreamBatch): void {
    this.applied += 1;
    this.add(batch.baseOffset);
  }

  add(baseOffset: number): void {
    this.count += 1;
    this.sum += baseOffset;
  }
}

function putInto(target: Stream, state: SumState): Promise<void> {
  const { baseOffset, durable } = put(target);
  state.add(baseOffset);
  return durable;
}

test("what was acknowledged survives a crash, in the WAL alone", async () => {
  for (let i = 0; i < 10; i += 1) await put(stream, { count: 2 }).durable;
  await crash();
  assert.equal(stream.highWatermark, 20);
  assert.deepEqual(await readAll(stream), range(0, 20, 2));
  assert.equal(counted("karst_recovered_frames_total"), 10);
  assert.equal(stream.epoch, 1);
});

test("in objects and WAL together, over many crashes", async () => {
  const expected: number[] = [];
  for (let life = 0; life < 8; life += 1) {
    for (let i = 0; i < 12; i += 1) {
      const { baseOffset, durable } = put(stream, { bytes: 500, count: 1 + (i % 2) });
      await durable;
      expected.push(baseOffset);
      if (i === life) await engine.upload();
    }
    await crash();
    assert.deepEqual(await readAll(stream), expected);
  }
  assert.ok(counted("karst_wal_trims_total") >= 8);
  assert.ok(counted("karst_uploads_total") >= 8);
  assert.equal(nodeRow.get(engine.catalogue, engine.nodeId)?.value.epoch, 9);
});

test("a restart is one commit, however many streams", async () => {
  for (let i = 0; i < 5; i += 1)
    await put(await engine.openStream(await world.createStream())).durable;
  const { revision } = engine.catalogue;
  await crash();
  assert.equal(engine.catalogue.revision, revision + 1);
});

test("a restart changes nobody's stream epoch", async () => {
  const before = streamOwnerRow.get(engine.catalogue, stream.streamId);
  await crash();
  assert.deepEqual(streamOwnerRow.get(engine.catalogue, stream.streamId), before);
});

test("what was not acknowledged may be lost, and its caller is told that it is unknown", async () => {
  await put(stream).durable;
  world.runtime.disk.fault({ on: "datasync", effect: "lost-sync" });
  const lost = put(stream);
  await assert.rejects(lost.durable, { code: "APPEND_UNKNOWN", kind: "indeterminate" });
  assert.ok(isKarstError(await engine.failed, "closed"));
  assert.throws(
    () => put(stream),
    (error) => isKarstError(error, "closed"),
  );
  await assert.rejects(engine.openStream(99), (error) => isKarstError(error, "closed"));
  // What was durable before is still there to be read, and nothing else.
  assert.equal(stream.highWatermark, 1);
  assert.deepEqual(await readAll(stream), [0]);
  await crash("synced");
  assert.equal((await readAll(stream))[0], 0);
  await put(stream).durable;
  assert.ok((await readAll(stream)).length >= 2);
});

test("holes survive, before and after their upload", async () => {
  await put(stream, { baseOffset: 10 }).durable;
  await put(stream, { baseOffset: 5_000, count: 2 }).durable;
  await crash();
  assert.deepEqual(await readAll(stream, 0), [10, 5_000]);
  await engine.upload();
  await put(stream, { baseOffset: 6_000 }).durable;
  await crash();
  assert.deepEqual(await readAll(stream, 0), [10, 5_000, 6_000]);
  await engine.upload();
  await crash();
  assert.deepEqual(await readAll(stream, 3_000), [5_000, 6_000]);
  assert.equal(stream.logEndOffset, 6_001);
});

test("a trim survives, frees whole objects, and is never undone", async () => {
  for (let i = 0; i < 30; i += 1) {
    await put(stream, { bytes: 600 }).durable;
    if (i % 10 === 9) await engine.upload();
  }
  await put(stream).durable;
  const objects = (): number => [...objectRow.scan(engine.catalogue)].length;
  const before = objects();
  await assert.rejects(stream.trim(32), { code: "OFFSET_OUT_OF_RANGE" });
  let told = 0;
  stream.onAdvance(() => (told += 1));
  await stream.trim(12);
  assert.equal(told, 1);
  assert.equal(stream.logStartOffset, 12);
  assert.ok(objects() < before);
  await assert.rejects(stream.read({ from: 11, bytesMax: 10 }), { code: "OFFSET_OUT_OF_RANGE" });
  await stream.trim(5);
  assert.equal(stream.logStartOffset, 12);
  await crash();
  assert.equal(stream.logStartOffset, 12);
  assert.deepEqual(await readAll(stream), range(12, 31));
  // Above everything that is in objects.
  await stream.trim(31);
  await crash();
  assert.deepEqual(
    [stream.logStartOffset, stream.highWatermark, stream.logEndOffset],
    [31, 31, 31],
  );
  await put(stream).durable;
  await engine.upload();
  assert.deepEqual(await readAll(stream), [31]);
  await crash();
  assert.deepEqual(await readAll(stream), [31]);
});

test("a timestamp is not found in what is trimmed", async () => {
  for (const timestampMs of [10, 30, 20]) await put(stream, { timestampMs }).durable;
  await engine.upload();
  await stream.trim(2);
  assert.equal((await stream.findByTimestamp(15))?.baseOffset, 2);
  assert.equal(await stream.findByTimestamp(25), undefined);
});

test("a state comes back from its newest block and the batches after it", async () => {
  await stream.close();
  const first = new SumState();
  stream = await engine.openStream(stream.streamId, first);
  assert.equal(first.restoredAt, 0);
  for (let i = 0; i < 10; i += 1) await putInto(stream, first);
  await engine.upload();
  for (let i = 0; i < 5; i += 1) await putInto(stream, first);

  world.runtime.disk.crash();
  await engine.abandon();
  engine = await world.open();
  const second = new SumState();
  stream = await engine.openStream(stream.streamId, second);
  assert.deepEqual(
    [second.restoredAt, second.applied, second.count, second.sum],
    [10, 5, first.count, first.sum],
  );

  // Closed and opened again in one life: the state as of then is written with the next upload.
  await putInto(stream, second);
  await stream.close();
  await engine.upload();
  const third = new SumState();
  stream = await engine.openStream(stream.streamId, third);
  assert.deepEqual(
    [third.restoredAt, third.applied, third.count, third.sum],
    [16, 0, second.count, second.sum],
  );
});

test("a tail that was uploaded while nobody had the stream open leaves the older block in force", async () => {
  await stream.close();
  const first = new SumState();
  stream = await engine.openStream(stream.streamId, first);
  await putInto(stream, first);
  await engine.upload();
  await putInto(stream, first);
  world.runtime.disk.crash();
  await engine.abandon();
  engine = await world.open();
  await engine.upload();
  assert.equal(streamEndRow.get(engine.catalogue, stream.streamId)?.value.offset, 2);
  const second = new SumState();
  stream = await engine.openStream(stream.streamId, second);
  assert.deepEqual([second.restoredAt, second.applied, second.sum], [1, 1, first.sum]);
});

test("a state that has nothing to say starts from nothing, at once", async () => {
  const silent: StreamState = {
    encode: () => undefined,
    restore: () => undefined,
    apply: () => undefined,
  };
  await stream.close();
  stream = await engine.openStream(stream.streamId, silent);
  for (let i = 0; i < 5; i += 1) await put(stream).durable;
  await engine.upload();
  await put(stream).durable;
  await crash();
  await stream.close();
  const state = new SumState();
  stream = await engine.openStream(stream.streamId, state);
  assert.deepEqual([state.restoredAt, state.applied, state.count], [5, 1, 1]);
});

test("a damaged state block costs time only", async () => {
  await stream.close();
  const first = new SumState();
  stream = await engine.openStream(stream.streamId, first);
  for (let i = 0; i < 3; i += 1) await putInto(stream, first);
  await engine.upload();
  await engine.abandon();
  const [row] = [...objectRow.scan(engine.catalogue)];
  const bytes = world.bucket.get(row?.key ?? "")?.bytes;
  assert.ok(row !== undefined && bytes !== undefined);
  // The last bytes before the index are the state's.
  bytes[row.value.indexPosition - 1] = (bytes[row.value.indexPosition - 1] as number) ^ 1;
  engine = await world.open();
  const second = new SumState();
  stream = await engine.openStream(stream.streamId, second);
  assert.deepEqual(
    [second.restoredAt, second.applied, second.count, second.sum],
    [0, 3, first.count, first.sum],
  );
  assert.equal(world.runtime.log.of("state-block-unreadable").length, 1);
});

test("a state block keeps its object alive after its data is trimmed, until there is a newer one", async () => {
  await stream.close();
  const first = new SumState();
  stream = await engine.openStream(stream.streamId, first);
  for (let i = 0; i < 3; i += 1) await putInto(stream, first);
  await engine.upload();
  await stream.trim(3);
  assert.equal([...objectRow.scan(engine.catalogue)].length, 1);
  world.runtime.disk.crash();
  await engine.abandon();
  engine = await world.open();
  const second = new SumState();
  stream = await engine.openStream(stream.streamId, second);
  assert.deepEqual([second.count, second.sum], [first.count, first.sum]);
  await putInto(stream, second);
  await engine.upload();
  const rows = [...objectRow.scan(engine.catalogue)];
  assert.equal(rows.length, 1);
  assert.equal(
    rows[0]?.key,
    streamEndRow.get(engine.catalogue, stream.streamId)?.value.stateObject,
  );
});

test("an older process that goes on acknowledges nothing and publishes nothing", async () => {
  for (let i = 0; i < 3; i += 1) await put(stream).durable;
  const zombie = { engine, stream };
  engine = await world.open();
  stream = await engine.openStream(stream.streamId);
  const ghost = put(zombie.stream);
  await put(stream).durable;
  await assert.rejects(ghost.durable, { code: "APPEND_UNKNOWN" });
  assert.ok(isKarstError(await zombie.engine.failed, "fenced"));
  await assert.rejects(zombie.engine.upload(), (error) => isKarstError(error, "fenced"));
  assert.deepEqual(await readAll(stream), [0, 1, 2, 3]);
  await zombie.engine.abandon();
  await put(stream).durable;
  await crash();
  assert.deepEqual(await readAll(stream), [0, 1, 2, 3, 4]);
});

test("an older process with an upload under way cannot publish it", async () => {
  for (let i = 0; i < 3; i += 1) await put(stream).durable;
  const zombie = { engine, stream };
  world.store.down();
  const upload = zombie.engine.upload();
  upload.catch(() => undefined);
  await world.turns(10);
  world.store.up();
  engine = await world.open();
  const { revision } = engine.catalogue;
  await assert.rejects(world.drive(upload), (error) => isKarstError(error, "fenced"));
  await engine.catalogue.refresh();
  assert.equal(engine.catalogue.revision, revision);
  await zombie.engine.abandon();
  stream = await engine.openStream(stream.streamId);
  assert.deepEqual(await readAll(stream), [0, 1, 2]);
  await engine.upload();
  assert.deepEqual(await readAll(stream), [0, 1, 2]);
});

test("a full disk refuses appends, loses nothing, and is got over", async () => {
  await put(stream).durable;
  world.runtime.disk.capacityBytes = world.runtime.disk.usedBytes;
  let appended = 1;
  let refusal: unknown;
  for (let i = 0; i < 200 && refusal === undefined; i += 1) {
    try {
      await put(stream, { bytes: 1000 }).durable;
      appended += 1;
    } catch (error) {
      refusal = error;
    }
  }
  assert.ok(isKarstError(refusal, "unavailable"), String(refusal));
  assert.deepEqual(await readAll(stream), range(0, appended));
  world.runtime.disk.capacityBytes = Infinity;
  for (let i = 0; i < 20; i += 1) await world.runtime.clock.advance(1_000);
  await world.turns(50);
  await put(stream, { bytes: 1000 }).durable;
  assert.deepEqual(await readAll(stream), range(0, appended + 1));
});

test("a frame of a stream that the catalogue never minted refuses to open, and loses nothing of the WAL", async () => {
  await put(stream).durable;
  const older = world.backUpBucket();
  const newer = await engine.openStream(await world.createStream());
  await put(newer).durable;
  await engine.abandon();
  const newest = world.backUpBucket();
  older();
  await assert.rejects(world.open(), (error: Error) => {
    assert.ok(isKarstError(error, "corrupt"));
    assert.equal(error.code, "RECOVERY_CORRUPT");
    assert.match(error.message, new RegExp(`stream ${newer.streamId} `));
    return true;
  });
  // Once the right catalogue is there, so is everything else.
  newest();
  engine = await world.open();
  assert.deepEqual(await readAll(await engine.openStream(stream.streamId)), [0]);
  assert.deepEqual(await readAll(await engine.openStream(newer.streamId)), [0]);
});

test("a closed engine leaves nothing behind that anybody needs", async () => {
  for (let i = 0; i < 5; i += 1) put(stream);
  const last = put(stream).durable;
  await engine.close();
  await last;
  const closed = nodeRow.get(engine.catalogue, engine.nodeId)?.value;
  assert.equal(closed?.state.tag, "closed");
  assert.equal(closed?.wals[0]?.state, "drained");
  assert.throws(
    () => put(stream),
    (error) => isKarstError(error, "closed"),
  );
  await assert.rejects(engine.openStream(stream.streamId), { code: "ENGINE_CLOSED" });
  await engine.close();

  // Another node, with a WAL of its own.
  world.loseWal();
  const other = await world.open();
  assert.notEqual(other.nodeId, engine.nodeId);
  stream = await other.openStream(stream.streamId);
  assert.equal(stream.epoch, 2);
  assert.deepEqual(await readAll(stream), range(0, 6));
  await put(stream).durable;
  assert.deepEqual(await readAll(stream), range(0, 7));
});

test("a node that is not closed keeps its streams from a node without its WAL, unless it is given up", async () => {
  await put(stream).durable;
  await engine.upload();
  await put(stream).durable;
  const { nodeId } = engine;
  const wal = nodeRow.get(engine.catalogue, nodeId)?.value.wals[0];
  await engine.abandon();
  const kept = world.directory;
  world.loseWal();
  await assert.rejects(world.open(), (error: Error) => {
    assert.ok(isKarstError(error, "unavailable"));
    assert.equal(error.code, "WAL_UNAVAILABLE");
    for (const part of [nodeId, wal?.walId ?? "?", kept])
      assert.ok(error.message.includes(part), error.message);
    return true;
  });
  engine = await world.open({ abandonWal: wal?.walId ?? "" });
  assert.equal(world.runtime.log.of("wal-abandoned")[0]?.fields["walId"], wal?.walId);
  stream = await engine.openStream(stream.streamId);
  assert.equal(stream.epoch, 2);
  // What only that WAL held is lost, as was accepted; the offset is given anew.
  assert.deepEqual(await readAll(stream), [0]);
  await put(stream).durable;
  checkPayload(
    stream.streamId,
    (await stream.read({ from: 1, bytesMax: 1 })).batches[0] as StreamBatch,
  );
});

test("the start of a stream whose tail was given up is kept", async () => {
  await put(stream).durable;
  await engine.upload();
  for (let i = 0; i < 4; i += 1) await put(stream).durable;
  await stream.trim(4);
  const wal = nodeRow.get(engine.catalogue, engine.nodeId)?.value.wals[0];
  await engine.abandon();
  world.loseWal();
  engine = await world.open({ abandonWal: wal?.walId ?? "" });
  stream = await engine.openStream(stream.streamId);
  assert.deepEqual([stream.logStartOffset, stream.highWatermark, stream.logEndOffset], [4, 4, 4]);
  await put(stream).durable;
  await engine.upload();
  assert.deepEqual(await readAll(stream), [4]);
});
