import { fileObjectStore, type FileObjectStoreOptions, type ObjectStore } from "@karst/objectstore";
import { type DiskEvent, ManualClock, SeededRandom, SimulatedDisk } from "@karst/runtime/testing";
import assert from "node:assert/strict";
import { test } from "vitest";
import { FILE_CALLS_MAX, SYNC_EVERY_BYTES, WRITE_PIECE_BYTES } from "../../src/limits.ts";

const MIB = 1024 * 1024;

interface World {
  readonly disk: SimulatedDisk;
  readonly store: ObjectStore;
  readonly clock: ManualClock;
  /** Operations of the disk that began since the last call of this. */
  readonly taken: () => readonly DiskEvent[];
}

function world(options: Partial<FileObjectStoreOptions> & { readonly slow?: boolean } = {}): World {
  const random = new SeededRandom("file-cost");
  const clock = new ManualClock();
  let events: DiskEvent[] = [];
  const disk = new SimulatedDisk({
    random,
    clock,
    onOperation: (event) => {
      if (event.phase === "before") events.push(event);
    },
    ...(options.slow === true ? { latency: { minMs: 1, maxMs: 1 } } : {}),
  });
  const store = fileObjectStore({ files: disk.files, random, directory: "/data", ...options });
  return {
    disk,
    store,
    clock,
    taken: () => {
      const taken = events;
      events = [];
      return taken;
    },
  };
}

test("a create is seven operations and two syncs", async () => {
  const { store, taken } = world();
  await store.putIfAbsent("wal/1", new Uint8Array(100));
  taken();
  await store.putIfAbsent("wal/2", new Uint8Array(100));
  assert.deepEqual(
    taken().map(({ operation }) => operation),
    ["open", "write", "datasync", "close", "link", "syncDirectory", "remove"],
  );
});

test("an object that this store wrote, or has read before, is read without a sync", async () => {
  const { disk, store, taken } = world();
  await store.put("a/1", new Uint8Array(100));
  taken();
  await store.get("a/1", { range: { start: 0, end: 10 } });
  await store.head("a/1");
  assert.deepEqual(
    taken().map(({ operation }) => operation),
    ["open", "size", "read", "close", "stat"],
  );
  const other = fileObjectStore({
    files: disk.files,
    random: new SeededRandom(2),
    directory: "/data",
  });
  await other.get("a/1");
  assert.equal(await other.putIfAbsent("a/1", []), "exists");
  taken();
  await other.get("a/1");
  for await (const _info of other.list(""))
    assert.deepEqual(await other.putIfAbsent("a/1", []), "exists");
  assert.ok(!taken().some(({ operation }) => operation === "syncDirectory"));
});

test("a range read asks the disk for no more than the range", async () => {
  const { store, taken } = world();
  await store.put("a", new Uint8Array(10 * MIB));
  taken();
  await store.get("a", { range: { start: 5 * MIB, end: 5 * MIB + 700 } });
  const reads = taken().filter(({ operation }) => operation === "read");
  assert.deepEqual(
    reads.map(({ position, length }) => [position, length]),
    [[5 * MIB, 700]],
  );
});

test("concurrent creates in one directory share its syncs", async () => {
  const { store, clock, taken } = world({ slow: true });
  await clock.runUntil(store.put("wal/0", []));
  taken();
  await clock.runUntil(
    Promise.all(
      Array.from({ length: 30 }, (_put, index) =>
        store.putIfAbsent(`wal/${index + 1}`, new Uint8Array(10)),
      ),
    ),
  );
  const syncs = taken().filter(({ operation }) => operation === "syncDirectory");
  assert.ok(syncs.length <= 3, `${syncs.length} syncs`);
});

test("a big object is written in pieces and synced on the way, each step paced", async () => {
  const paced: number[] = [];
  const { store, taken } = world({
    pace: async (bytes) => {
      paced.push(bytes);
    },
  });
  await store.put("a", new Uint8Array(20 * MIB + 5));
  const steps = taken().filter(
    ({ operation, path }) =>
      path.startsWith("/data/tmp/") && (operation === "write" || operation === "datasync"),
  );
  assert.deepEqual(
    steps.map(({ length }) => length ?? 0),
    paced,
  );
  assert.equal(Math.max(...paced), WRITE_PIECE_BYTES);
  assert.equal(
    paced.filter((bytes) => bytes === 0).length,
    Math.ceil((20 * MIB + 5) / SYNC_EVERY_BYTES),
  );
});

test("a pace that rejects fails the write with what it says, and leaves nothing", async () => {
  const { disk, store } = world({
    pace: async () => {
      throw new RangeError("not now");
    },
  });
  await assert.rejects(store.put("a", new Uint8Array(10)), /not now/);
  assert.deepEqual(disk.listAll(), ["/data/", "/data/objects/", "/data/tmp/"]);
});

test("an aborted write stops before its next piece", async () => {
  const abort = new AbortController();
  const { disk, store } = world({
    pace: async () => {
      abort.abort(new Error("enough"));
    },
  });
  await assert.rejects(store.put("a", new Uint8Array(5 * MIB), { signal: abort.signal }), {
    code: "UNAVAILABLE",
  });
  assert.equal(await store.head("a"), undefined);
  assert.deepEqual(disk.listAll(), ["/data/", "/data/objects/", "/data/tmp/"]);
});

test("only so many calls hold a file open at once", async () => {
  const { store, clock, taken } = world({ slow: true });
  await clock.runUntil(store.put("a", new Uint8Array(10)));
  taken();
  let open = 0;
  let most = 0;
  const reads = Promise.all(Array.from({ length: 300 }, () => store.get("a")));
  await clock.runUntil(reads);
  for (const { operation } of taken()) {
    if (operation === "open") open += 1;
    if (operation === "close") open -= 1;
    most = Math.max(most, open);
  }
  assert.equal((await reads).length, 300);
  assert.equal(most, FILE_CALLS_MAX);
});

test("a list reads a directory when its turn comes", async () => {
  const { store, taken } = world();
  for (const key of ["a/1", "b/1", "b/c/1", "d/1"]) await store.put(key, []);
  taken();
  for await (const { key } of store.list("")) if (key === "b/1") break;
  const listed = taken().flatMap(({ operation, path }) => (operation === "list" ? [path] : []));
  assert.deepEqual(listed, ["/data/objects", "/data/objects/a", "/data/objects/b"]);
});

test("a list passes over what the driver did not make", async () => {
  const { disk, store } = world();
  await store.put("a/1", []);
  disk.install("/data/objects/a/.DS_Store", new Uint8Array(1));
  disk.install("/data/objects/a/x y/z@", new Uint8Array(1));
  const keys: string[] = [];
  for await (const { key } of store.list("")) keys.push(key);
  assert.deepEqual(keys, ["a/1"]);
});
