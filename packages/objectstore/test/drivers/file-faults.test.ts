import { fileObjectStore, type ObjectStore } from "@karst/objectstore";
import { isKarstError } from "@karst/runtime";
import { type DiskFault, ManualClock, SeededRandom, SimulatedDisk } from "@karst/runtime/testing";
import assert from "node:assert/strict";
import { test } from "vitest";
import { TEMP_IDLE_MS } from "../../src/limits.ts";

const BODY = new Uint8Array(3_000).fill(7);
const OBJECTS = "/data/objects";

interface World {
  readonly clock: ManualClock;
  readonly disk: SimulatedDisk;
  readonly open: () => ObjectStore;
}

function world(): World {
  const random = new SeededRandom("file-faults");
  const clock = new ManualClock();
  const disk = new SimulatedDisk({ random: random.fork("disk"), clock });
  let opened = 0;
  const open = (): ObjectStore => {
    opened += 1;
    return fileObjectStore({
      files: disk.files,
      random: random.fork(`store ${opened}`),
      directory: "/data",
    });
  };
  return { clock, disk, open };
}

function tempFiles(disk: SimulatedDisk): readonly string[] {
  return disk.listAll().filter((path) => path.startsWith("/data/tmp/") && path !== "/data/tmp/");
}

/** What a write that meets a fault comes to, and the code of its cause. */
const REJECTED: readonly (readonly [
  name: string,
  fault: DiskFault,
  code: "UNAVAILABLE" | "UNKNOWN_OUTCOME",
  cause: string,
])[] = [
  ["a full disk while writing", { on: "write", effect: "ENOSPC" }, "UNAVAILABLE", "NO_SPACE"],
  [
    "a quota while creating",
    { on: "open", path: /tmp/, effect: "EDQUOT", after: 1 },
    "UNAVAILABLE",
    "NO_SPACE",
  ],
  ["a failed write", { on: "write", effect: "EIO" }, "UNAVAILABLE", "IO_ERROR"],
  [
    "a failed sync of the bytes",
    { on: "datasync", effect: "lost-sync" },
    "UNAVAILABLE",
    "IO_ERROR",
  ],
  [
    "a failed close",
    { on: "close", path: /tmp/, effect: "EIO", after: 1 },
    "UNAVAILABLE",
    "IO_ERROR",
  ],
  [
    "a full disk while making a directory",
    { on: "makeDirectory", path: /wal$/, effect: "ENOSPC" },
    "UNAVAILABLE",
    "NO_SPACE",
  ],
  ["a full disk while naming", { on: "link", effect: "ENOSPC" }, "UNAVAILABLE", "NO_SPACE"],
  ["a file system without links", { on: "link", effect: "EPERM" }, "UNAVAILABLE", "IO_ERROR"],
  ["a name that failed", { on: "link", effect: "EIO" }, "UNKNOWN_OUTCOME", "IO_ERROR"],
];

for (const [name, fault, code, cause] of REJECTED) {
  test(`${name}: ${code}, nothing left over, and the next try succeeds`, async () => {
    for (const method of ["put", "putIfAbsent"] as const) {
      const { disk, open } = world();
      const store = open();
      disk.fault(fault);
      await assert.rejects(store[method]("wal/1", BODY), (error) => {
        assert.ok(isKarstError(error) && isKarstError(error.cause));
        assert.deepEqual([error.code, error.cause.code], [code, cause]);
        return true;
      });
      assert.equal(await store.head("wal/1"), undefined);
      assert.deepEqual(tempFiles(disk), []);
      await store[method]("wal/1", BODY);
      assert.deepEqual(await store.get("wal/1"), BODY);
      assert.ok(disk.isDurable(`${OBJECTS}/wal/1@`, 0, BODY.length));
    }
  });
}

test("after a failed sync of a directory nothing that rests on it is answered, until the store is opened anew", async () => {
  const { disk, open } = world();
  const store = open();
  await store.put("wal/1", BODY);
  await store.put("log/1", BODY);
  disk.fault({ on: "syncDirectory", path: `${OBJECTS}/wal`, effect: "EIO" });
  await assert.rejects(store.putIfAbsent("wal/2", BODY), { code: "UNKNOWN_OUTCOME" });
  for (const call of [
    () => store.get("wal/2"),
    () => store.head("wal/2"),
    () => store.putIfAbsent("wal/2", BODY),
    () => store.list("wal/")[Symbol.asyncIterator]().next(),
  ]) {
    await assert.rejects(call, {
      code: "STORE_FAILED",
      kind: "closed",
      message: /an earlier sync of \/data\/objects\/wal failed/,
    });
  }
  await assert.rejects(store.put("wal/3", BODY), { code: "UNKNOWN_OUTCOME" });
  await assert.rejects(store.delete(["wal/1"]), { code: "UNKNOWN_OUTCOME" });
  // What was durable before, and what is elsewhere, is not in doubt.
  assert.deepEqual(await store.get("log/1"), BODY);
  await store.put("log/2", BODY);
  const next = open();
  assert.deepEqual(await next.get("wal/2"), BODY);
  assert.ok(disk.isNameDurable(`${OBJECTS}/wal/2@`));
});

test("a sync of a directory that was not begun is tried again", async () => {
  const { disk, open } = world();
  const store = open();
  await store.put("wal/1", BODY);
  disk.fault({ on: "syncDirectory", path: `${OBJECTS}/wal`, effect: "ENOSPC" });
  await assert.rejects(store.putIfAbsent("wal/2", BODY), { code: "UNKNOWN_OUTCOME" });
  assert.equal(await store.putIfAbsent("wal/2", BODY), "exists");
  assert.ok(disk.isNameDurable(`${OBJECTS}/wal/2@`));
});

test("a delete that failed half-way is unknown, one that was refused is not", async () => {
  const { disk, open } = world();
  const store = open();
  for (const key of ["a", "b", "c"]) await store.put(key, BODY);
  disk.fault({ on: "remove", path: `${OBJECTS}/b@`, effect: "EIO" });
  await assert.rejects(store.delete(["a", "b", "c"]), { code: "UNKNOWN_OUTCOME" });
  await store.delete(["a", "b", "c"]);
  await store.put("a", BODY);
  disk.fault({ on: "remove", path: `${OBJECTS}/a@`, effect: "EPERM" });
  await assert.rejects(store.delete(["a"]), { code: "UNAVAILABLE" });
  assert.deepEqual(await store.get("a"), BODY);
});

test("a failed read is unavailable, and only once", async () => {
  const { disk, open } = world();
  const store = open();
  await store.put("a", BODY);
  for (const on of ["open", "size", "read"] as const) {
    disk.fault({ on, effect: "EIO" });
    await assert.rejects(store.get("a"), { code: "UNAVAILABLE" });
    assert.deepEqual(await store.get("a"), BODY);
  }
  disk.fault({ on: "stat", effect: "EIO" });
  await assert.rejects(store.head("a"), { code: "UNAVAILABLE" });
  disk.truncate(`${OBJECTS}/a@`, 10);
  assert.equal((await store.get("a")).length, 10);
});

test("opening fails while the disk does, and then succeeds", async () => {
  const { disk, open } = world();
  const store = open();
  for (const on of ["stat", "makeDirectory", "syncDirectory"] as const) {
    disk.fault({ on, effect: "EIO" });
    await assert.rejects(store.put("a", BODY), { code: "UNAVAILABLE" });
  }
  await store.put("a", BODY);
  // A full disk keeps nobody from reading.
  disk.capacityBytes = 0;
  disk.fault({ on: "open", path: /tmp/, effect: "ENOSPC", times: Number.POSITIVE_INFINITY });
  const reader = open();
  assert.deepEqual(await reader.get("a"), BODY);
  await assert.rejects(reader.put("b", BODY), { code: "UNAVAILABLE" });
  await reader.delete(["a"]);
});

test("a store in whose way something stands says so", async () => {
  for (const path of ["/data", "/data/objects", "/data/tmp"]) {
    const { disk, open } = world();
    disk.install(path, BODY);
    await assert.rejects(open().put("a", BODY), {
      code: "STORE_UNFIT",
      message: new RegExp(`${path} is not a directory`),
    });
  }
});

/** Each makes its process's last words a fact for others. */
const SIGHTS: Readonly<Record<string, (store: ObjectStore) => Promise<unknown>>> = {
  "putIfAbsent says that it exists": async (store) =>
    assert.equal(await store.putIfAbsent("wal/n/1", BODY), "exists"),
  "get returns it": async (store) => assert.deepEqual(await store.get("wal/n/1"), BODY),
  "get returns a range of it": (store) => store.get("wal/n/1", { range: { start: 5, end: 9 } }),
  "head describes it": (store) => store.head("wal/n/1"),
  "list shows it": (store) => store.list("wal")[Symbol.asyncIterator]().next(),
};

for (const [name, sight] of Object.entries(SIGHTS)) {
  test(`an object whose writer was killed before its last sync is durable when ${name}`, async () => {
    for (const replaced of [false, true]) {
      const { disk, open } = world();
      const [writer, reader] = [open(), open()];
      await writer.put("wal/n/0", BODY);
      if (replaced) await writer.put("wal/n/1", new Uint8Array(1));
      disk.onOperation = ({ phase, operation, path }) => {
        if (phase === "before" && operation === "syncDirectory" && path !== "/data") disk.kill();
      };
      await assert.rejects(writer.put("wal/n/1", BODY), { code: "UNKNOWN_OUTCOME" });
      disk.onOperation = undefined;
      assert.ok(!disk.isNameDurable(`${OBJECTS}/wal/n/1@`));
      await assert.rejects(reader.head("wal/n/1"), { code: "UNAVAILABLE" });
      await sight(open());
      assert.ok(disk.isDurable(`${OBJECTS}/wal/n/1@`, 0, BODY.length));
    }
  });
}

test("a directory that its maker did not sync is durable when an object in it is", async () => {
  const { disk, open } = world();
  await open().put("other", BODY);
  disk.onOperation = ({ phase, operation, path }) => {
    if (phase === "after" && operation === "makeDirectory" && path === `${OBJECTS}/a`) disk.kill();
  };
  await assert.rejects(open().put("a/b/c", BODY), { code: "UNAVAILABLE" });
  disk.onOperation = undefined;
  assert.ok(!disk.isNameDurable(`${OBJECTS}/a`));
  await open().putIfAbsent("a/b/c", BODY);
  assert.ok(disk.isDurable(`${OBJECTS}/a/b/c@`, 0, BODY.length));
});

test("the root and all above it are durable with the first object", async () => {
  const random = new SeededRandom(1);
  const disk = new SimulatedDisk({ random });
  const store = fileObjectStore({ files: disk.files, random, directory: "/not/there/yet/" });
  await store.put("a", BODY);
  assert.ok(disk.isDurable("/not/there/yet/objects/a@", 0, BODY.length));
  assert.equal(store.location, "file:/not/there/yet/");
});

test("opening removes temporary files that nobody has written to for long, and no others", async () => {
  const { clock, disk, open } = world();
  await open().put("a", BODY);
  disk.install("/data/tmp/old", BODY);
  await clock.advance(TEMP_IDLE_MS);
  disk.install("/data/tmp/young", BODY);
  await open().head("a");
  assert.deepEqual(tempFiles(disk), ["/data/tmp/young"]);
});

test("a writer whose temporary file is taken away fails, definitely", async () => {
  for (const method of ["put", "putIfAbsent"] as const) {
    const { disk, open } = world();
    const store = open();
    await store.put("other", BODY);
    disk.onOperation = ({ phase, operation, path }) => {
      if (phase !== "after" || operation !== "datasync") return;
      disk.onOperation = undefined;
      disk.blocking.remove(path);
    };
    await assert.rejects(store[method]("a", BODY), { code: "UNAVAILABLE" });
    assert.equal(await store.head("a"), undefined);
    await store[method]("a", BODY);
  }
});

test("an object's directory that somebody removed is made again", async () => {
  const { disk, open } = world();
  const store = open();
  await store.put("a/b", BODY);
  await store.delete(["a/b"]);
  disk.blocking.list("/data/objects/a");
  await disk.files.removeDirectory("/data/objects/a");
  await store.put("a/c", BODY);
  assert.ok(disk.isDurable(`${OBJECTS}/a/c@`, 0, BODY.length));
});

test("two stores with the same random numbers do not write into each other's files", async () => {
  const disk = new SimulatedDisk({ random: new SeededRandom(1) });
  const stores = [1, 2].map(() =>
    fileObjectStore({ files: disk.files, random: new SeededRandom("same"), directory: "/data" }),
  );
  await Promise.all(
    stores.map((store, index) => store.put(`a/${index}`, new Uint8Array(100).fill(index))),
  );
  for (const index of [0, 1])
    assert.deepEqual(await stores[0]?.get(`a/${index}`), new Uint8Array(100).fill(index));
});

test("parts of an upload go with it, and with its store", async () => {
  const { disk, open } = world();
  const store = open();
  const [completed, aborted, forgotten] = [
    await store.createMultipart("a"),
    await store.createMultipart("b"),
    await store.createMultipart("c"),
  ];
  for (const upload of [completed, aborted, forgotten])
    for (const number of [1, 2]) await upload?.part(number, BODY);
  assert.equal(tempFiles(disk).length, 6);
  await completed?.complete();
  assert.equal(tempFiles(disk).length, 4);
  await aborted?.abort();
  assert.equal(tempFiles(disk).length, 2);
  await store.close();
  assert.deepEqual(tempFiles(disk), []);
  assert.ok(disk.isDurable(`${OBJECTS}/a@`, 0, 2 * BODY.length));
});

test("an upload whose completion failed can be completed again; one whose part was taken away cannot", async () => {
  const { disk, open } = world();
  const store = open();
  const upload = await store.createMultipart("a");
  await upload.part(1, BODY);
  disk.fault({ on: "write", effect: "ENOSPC" });
  await assert.rejects(upload.part(2, BODY), { code: "UNAVAILABLE" });
  await upload.part(2, BODY);
  disk.fault({ on: "datasync", effect: "EIO" });
  await assert.rejects(upload.complete(), { code: "UNAVAILABLE" });
  const [part] = tempFiles(disk);
  await upload.complete();
  assert.equal((await store.get("a")).length, 2 * BODY.length);
  const other = await store.createMultipart("b");
  await other.part(1, BODY);
  assert.ok(part !== undefined);
  for (const path of tempFiles(disk)) disk.blocking.remove(path);
  await assert.rejects(other.complete(), { code: "UNAVAILABLE" });
  assert.equal(await store.head("b"), undefined);
});
