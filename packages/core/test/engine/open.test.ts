import assert from "node:assert/strict";
import { type Engine, nodeRow, openEngine, type Stream } from "@karst/core";
import { memoryObjectStore } from "@karst/objectstore";
import { isKarstError, MemoryBudget, randomId, SlabPool } from "@karst/runtime";
import { memoryWal } from "@karst/wal";
import { beforeEach, test } from "vitest";
import { openCatalogue } from "../../src/catalogue/open-catalogue.ts";
import { put, range, readAll, TINY_LIMITS, World } from "./world.ts";

let world: World;
let engine: Engine;
let stream: Stream;

beforeEach(async () => {
  world = new World();
  const streamId = await world.createStream();
  engine = await world.open();
  stream = await engine.openStream(streamId);
});

test("a WAL that was drained and not removed may be started with again", async () => {
  await put(stream).durable;
  // Between the commit that drains it and its removal, the process dies.
  const { nodeId } = engine;
  world.runtime.disk.fault({ on: ["remove", "rename"], effect: "EIO", times: Infinity });
  await engine.close();
  assert.ok(world.runtime.log.of("wal-destroy-failed").length > 0);
  world.runtime.disk.clearFaults();
  world.runtime.disk.crash();
  engine = await world.open();
  assert.equal(engine.nodeId, nodeId);
  stream = await engine.openStream(stream.streamId);
  assert.equal(stream.epoch, 1);
  await put(stream).durable;
  assert.deepEqual(await readAll(stream), [0, 1]);
  assert.equal(nodeRow.get(engine.catalogue, nodeId)?.value.state.tag, "open");
});

test("a WAL that was given up while it held something is refused", async () => {
  await put(stream).durable;
  const walId = nodeRow.get(engine.catalogue, engine.nodeId)?.value.wals[0]?.walId ?? "";
  await engine.abandon();
  world.loseWal();
  const other = await world.open({ abandonWal: walId });
  await other.close();
  world.findWal();
  await assert.rejects(world.open(), (error: Error) => {
    assert.ok(isKarstError(error, "corrupt"));
    assert.equal(error.code, "WAL_STALE");
    assert.ok(
      error.message.includes(world.directory) && error.message.includes("empty directory"),
      error.message,
    );
    return true;
  });
});

test("a WAL of a node that the catalogue does not know is refused if it holds anything", async () => {
  await put(stream).durable;
  const { catalogue, nodeId } = engine;
  await catalogue.commit({
    id: randomId(world.runtime.random),
    require: [],
    put: [],
    delete: [nodeRow.key(nodeId)],
  });
  await engine.abandon();
  await assert.rejects(world.open(), { code: "WAL_STALE" });
});

test("an open that failed for want of the store leaves nothing in the way of the next", async () => {
  await engine.close();
  world.loseWal();
  for (const method of ["putIfAbsent", "get", "list"]) {
    let calls = 0;
    for (let strike = 1; strike <= 6; strike += 1) {
      calls = 0;
      world.store.setPlan((call) => {
        if (call.method !== method) return undefined;
        calls += 1;
        return calls === strike ? { tag: "unavailable" } : undefined;
      });
      try {
        const opened = await world.drive(world.open());
        await opened.abandon();
      } catch (error) {
        assert.ok(isKarstError(error, "unavailable"), String(error));
      }
    }
  }
  world.store.setPlan(() => undefined);
  engine = await world.open();
  stream = await engine.openStream(stream.streamId);
  await put(stream).durable;
  assert.deepEqual(await readAll(stream), [0]);
});

test("a lost answer to the commit that opens is resolved by the record", async () => {
  await put(stream).durable;
  await engine.abandon();
  for (const tag of ["lost-answer", "lost-request"] as const) {
    let left = 1;
    world.store.setPlan((call) => {
      if (call.method !== "putIfAbsent" || left === 0) return undefined;
      left -= 1;
      return { tag };
    });
    engine = await world.drive(world.open());
    world.store.setPlan(() => undefined);
    stream = await engine.openStream(stream.streamId);
    assert.deepEqual(await readAll(stream), [0]);
    await engine.abandon();
  }
  const catalogue = await openCatalogue({
    objectStore: memoryObjectStore({ bucket: world.bucket }),
    runtime: world.runtime.restart(),
  });
  assert.equal(nodeRow.get(catalogue, engine.nodeId)?.value.epoch, 3);
});

test("of two processes that open one WAL at once, one serves, and nothing is lost", async () => {
  for (let i = 0; i < 5; i += 1) await put(stream).durable;
  await engine.abandon();
  const runtimes = [world.runtime.restart(), world.runtime.restart(), world.runtime.restart()];
  const outcomes = await Promise.allSettled(runtimes.map((runtime) => world.openOn(runtime)));
  const acknowledged: number[] = range(0, 5);
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") {
      assert.ok(isKarstError(outcome.reason), String(outcome.reason));
      continue;
    }
    try {
      const opened = await outcome.value.openStream(stream.streamId);
      const { baseOffset, durable } = put(opened);
      await durable;
      acknowledged.push(baseOffset);
    } catch (error) {
      assert.ok(isKarstError(error, "fenced", "closed", "indeterminate"), String(error));
    }
    await outcome.value.abandon();
  }
  engine = await world.open();
  stream = await engine.openStream(stream.streamId);
  const found = await readAll(stream);
  for (const offset of acknowledged)
    assert.ok(found.includes(offset), `offset ${offset} was acknowledged`);
});

test("limits that contradict each other are misuse", async () => {
  await engine.close();
  for (const limits of [
    { uploadBytes: 0 },
    { slabBytes: 256 * 1024 },
    { uploadBytes: 65 * 1024 },
    { unuploadedBytesMax: 400 * 1024 },
    { blockBytes: 1.5 },
  ]) {
    await assert.rejects(world.open({ limits }), TypeError);
  }
});

test("a memory WAL is recovered by its own process, and given up by the next", async () => {
  const store = memoryObjectStore({ bucket: world.bucket });
  await engine.close();
  const runtime = world.runtime.restart();
  const memory = new MemoryBudget(TINY_LIMITS.memoryBudgetBytes ?? 0);
  const wal = memoryWal({
    runtime,
    slabs: new SlabPool({ budget: memory, slabBytes: 4096, poison: true }),
  });
  const open = (factory = wal): Promise<Engine> =>
    openEngine({ objectStore: store, runtime, memory, limits: TINY_LIMITS, wal: factory });

  engine = await open();
  stream = await engine.openStream(stream.streamId);
  for (let i = 0; i < 30; i += 1) await put(stream, { bytes: 1000 }).durable;
  await engine.abandon();
  engine = await open();
  stream = await engine.openStream(stream.streamId);
  assert.deepEqual(await readAll(stream), range(0, 30));
  await engine.upload();
  await put(stream).durable;

  const next = await open(
    memoryWal({
      runtime: world.runtime.restart(),
      slabs: new SlabPool({ budget: new MemoryBudget(1_000_000), slabBytes: 4096 }),
    }),
  );
  const taken = await next.openStream(stream.streamId);
  assert.deepEqual(await readAll(taken), range(0, 30));
  // The engine before is not dead, only outdated: it finds out with its next commit.
  await assert.rejects(engine.upload(), { code: "ENGINE_FENCED" });
  await engine.abandon();
  await next.close();
});

test("a WAL whose slabs come from a budget of their own is relieved too", async () => {
  await engine.close();
  const runtime = world.runtime.restart();
  const slabs = new SlabPool({
    budget: new MemoryBudget(64 * 1024),
    slabBytes: 4096,
    poison: true,
  });
  engine = await openEngine({
    objectStore: world.store,
    runtime,
    limits: TINY_LIMITS,
    wal: memoryWal({ runtime, slabs }),
  });
  stream = await engine.openStream(stream.streamId);
  let refused = 0;
  for (let i = 0; i < 200;) {
    try {
      await put(stream, { bytes: 1000 }).durable;
      i += 1;
    } catch (error) {
      assert.ok(isKarstError(error, "unavailable"), String(error));
      refused += 1;
      await engine.upload();
    }
  }
  assert.ok(refused < 50);
  assert.deepEqual(await readAll(stream), range(0, 200));
  await engine.close();
});

test("nothing is asked of the store while there is nothing to do", async () => {
  for (let i = 0; i < 50; i += 1) await put(stream, { bytes: 500 }).durable;
  await engine.upload();
  await world.turns(50);
  for (let i = 0; i < 10; i += 1) await world.runtime.clock.advance(1_000);
  let requests = 0;
  world.store.setPlan(() => {
    requests += 1;
    return undefined;
  });
  for (let i = 0; i < 300; i += 1) {
    await world.runtime.clock.advance(1_000);
    await world.turns(2);
  }
  assert.equal(requests, 0);
  assert.equal(world.runtime.clock.pendingTimers, 0);
});

/** The WAL's files as they are now; returns what puts them back. */
function backUpWal(): () => void {
  const inWal = (path: string): boolean => path.startsWith(`${world.directory}/`);
  const files = [...world.runtime.disk.snapshot()].filter(([path]) => inWal(path));
  return () => {
    const { disk } = world.runtime;
    for (const path of disk.snapshot().keys()) if (inWal(path)) disk.blocking.remove(path);
    for (const [path, bytes] of files) disk.install(path, bytes);
  };
}

const bucketKeys = (): readonly string[] => world.bucket.keys("", "", 1_000_000);

test("an old copy of the WAL is refused however often it is tried, and the newest is still taken", async () => {
  await put(stream).durable;
  await engine.abandon();
  const restoreOld = backUpWal();
  engine = await world.open();
  stream = await engine.openStream(stream.streamId);
  await put(stream).durable;
  await engine.abandon();
  const restoreNewest = backUpWal();
  restoreOld();
  const [files, keys] = [world.runtime.disk.snapshot(), bucketKeys()];
  for (let attempt = 0; attempt < 4; attempt += 1) {
    await assert.rejects(world.open(), { code: "WAL_STALE" });
    assert.deepEqual(world.runtime.disk.snapshot(), files);
    assert.deepEqual(bucketKeys(), keys);
  }
  restoreNewest();
  engine = await world.open();
  stream = await engine.openStream(stream.streamId);
  assert.deepEqual(await readAll(stream), [0, 1]);
});

// Found by family `cluster`, seed 1000317: the node's last user was closing, and the catalogue could not be asked.
test("a WAL is called damaged only when the catalogue says that nobody goes on with it", async () => {
  for (let i = 0; i < 3; i += 1) await put(stream).durable;
  await engine.abandon();
  const { disk } = world.runtime;
  const segment = disk.listAll().find((path) => path.includes("/segment-")) ?? "";
  const text = String.fromCharCode(...disk.bytesOf(segment));
  disk.flip(segment, text.indexOf(`${stream.streamId}@0.`), 3);
  for (let allowed = 0, refused = true; refused; allowed += 1) {
    let left = allowed;
    refused = false;
    world.store.setPlan(() => {
      left -= 1;
      refused ||= left < 0;
      return left < 0 ? { tag: "unavailable" } : undefined;
    });
    const error = await world.drive(world.open()).then(
      () => assert.fail("a damaged WAL was opened"),
      (reason: unknown) => reason,
    );
    assert.ok(isKarstError(error, refused ? "unavailable" : "corrupt"), String(error));
  }
});

test("a damaged WAL leaves no trace in the catalogue, so that an undamaged copy of it is taken", async () => {
  for (let i = 0; i < 3; i += 1) await put(stream).durable;
  await engine.abandon();
  const restore = backUpWal();
  const { disk } = world.runtime;
  const segment = disk.listAll().find((path) => path.includes("/segment-")) ?? "";
  // In the first record, below the watermark of those after it.
  const text = String.fromCharCode(...disk.bytesOf(segment));
  disk.flip(segment, text.indexOf(`${stream.streamId}@0.`), 3);
  const keys = bucketKeys();
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await assert.rejects(world.open(), { code: "WAL_CORRUPT" });
    assert.deepEqual(bucketKeys(), keys);
  }
  restore();
  engine = await world.open();
  stream = await engine.openStream(stream.streamId);
  assert.deepEqual(await readAll(stream), range(0, 3));
});

test("an empty place is left empty where the node's own WAL is missing", async () => {
  await put(stream).durable;
  await engine.abandon();
  world.loseWal();
  const keys = bucketKeys();
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await assert.rejects(world.open(), (error: Error) => {
      assert.ok(isKarstError(error, "unavailable"));
      assert.match(
        error.message,
        /its WAL \w+ may hold .* It was at \/wal-0; this engine came with no WAL at \/wal-1\. .*abandonWal \w+/,
      );
      return true;
    });
    assert.deepEqual(
      world.runtime.disk.listAll().filter((path) => path.startsWith(`${world.directory}/`)),
      [`${world.directory}/`],
    );
    assert.deepEqual(bucketKeys(), keys);
  }
  world.findWal();
  engine = await world.open();
  stream = await engine.openStream(stream.streamId);
  assert.deepEqual(await readAll(stream), [0]);
});
