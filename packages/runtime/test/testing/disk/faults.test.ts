import { type DiskEvent, SeededRandom } from "@karst/runtime/testing";
import assert from "node:assert/strict";
import { test } from "vitest";
import { bytes, filled, code, withFile, put, outcomes } from "./fixtures.ts";

test("a failed sync that loses its pages: readable, the next sync succeeds, gone after a crash", () => {
  const disk = withFile(filled(1_024, 1));
  const file = disk.blocking.open("/d/a", "write");
  file.write(filled(1_536, 2), 0, 1_536, 0);
  disk.fault({ on: "datasync", effect: "lost-sync" });
  assert.throws(() => file.datasync(), code("IO_ERROR"));
  file.write(filled(512, 3), 0, 512, 1_024);
  file.datasync();
  assert.deepEqual(disk.bytesOf("/d/a").subarray(0, 1_024), filled(1_024, 2));
  assert.equal(disk.isDurable("/d/a", 0, 1_024), false);
  assert.equal(disk.isDurable("/d/a", 1_024, 1_536), true);
  const evicted = disk.clone(new SeededRandom(1));
  evicted.dropCaches();
  assert.deepEqual(evicted.bytesOf("/d/a").subarray(0, 1_024), filled(1_024, 1));
  for (const content of outcomes(disk, (crashed) => crashed.bytesOf("/d/a"), 20)) {
    assert.deepEqual(content.subarray(0, 1_024), filled(1_024, 1));
    assert.deepEqual(content.subarray(1_024), filled(512, 3));
  }
});

test("a failed sync that loses nothing: the pages stay dirty", () => {
  const disk = withFile(filled(512, 1));
  const file = disk.blocking.open("/d/a", "write");
  file.write(filled(512, 2), 0, 512, 0);
  disk.fault({ on: "datasync", effect: "EIO" });
  assert.throws(() => file.datasync(), code("IO_ERROR"));
  assert.equal(disk.isDurable("/d/a", 0, 512), false);
  file.datasync();
  assert.equal(disk.isDurable("/d/a", 0, 512), true);
});

test("faults: by operation and path, once, several times, after some, by chance", async () => {
  const disk = withFile(filled(10, 1));
  disk.install("/d/b", bytes(1));
  const fault = disk.fault({
    on: ["read", "close"],
    path: /\/a$/,
    effect: "EIO",
    after: 1,
    times: 2,
  });
  const a = disk.blocking.open("/d/a", "read");
  const b = disk.blocking.open("/d/b", "read");
  const into = bytes(0);
  assert.equal(b.read(into, 0, 1, 0), 1);
  assert.equal(a.read(into, 0, 1, 0), 1);
  assert.throws(() => a.read(into, 0, 1, 0), code("IO_ERROR"));
  assert.throws(() => a.close(), code("IO_ERROR"));
  assert.equal(fault.hits, 2);
  assert.throws(() => a.size(), code("IO_ERROR"), "a failed close has closed");
  b.close();

  const chance = disk.fault({ on: "stat", effect: "EIO", times: Infinity, probability: 0.5 });
  let failed = 0;
  for (let i = 0; i < 200; i += 1) await disk.files.stat("/d/a").catch(() => (failed += 1));
  assert.equal(chance.hits, failed);
  assert.ok(failed > 60 && failed < 140);
  chance.cancel();
  await disk.files.stat("/d/a");

  disk.fault({ on: "rename", path: "/d/a", effect: "EIO" });
  disk.fault({
    on: "open",
    path: (path, call) => path === "/d/c" && call.mode === "create",
    effect: "ENOSPC",
  });
  disk.fault({ on: "syncDirectory", effect: "EIO" });
  await assert.rejects(disk.files.rename("/d/a", "/d/z"), code("IO_ERROR"));
  await assert.rejects(disk.files.open("/d/c", "create"), code("NO_SPACE"));
  await (await disk.files.open("/d/c", "write")).close();
  await assert.rejects(disk.files.syncDirectory("/d"), code("IO_ERROR"));
  assert.equal(disk.isNameDurable("/d/c"), false);
  disk.fault({ on: "list", effect: "EIO" });
  disk.clearFaults();
  assert.equal((await disk.files.list("/d")).length, 3);
});

test("a failed write may have taken a part; a short one did", async () => {
  const lengths = new Set<number>();
  for (let seed = 0; seed < 50; seed += 1) {
    const disk = withFile(bytes(), { random: new SeededRandom(seed) });
    disk.fault({ on: "write", effect: "EIO" });
    const file = await disk.files.open("/d/a", "write");
    await assert.rejects(file.write(filled(5, 1), 0), code("IO_ERROR"));
    lengths.add(disk.bytesOf("/d/a").length);
  }
  assert.deepEqual(lengths, new Set([0, 1, 2, 3, 4]));
  const disk = withFile(bytes());
  disk.fault({ on: "write", effect: "short-write", times: 2 });
  const blocking = disk.blocking.open("/d/a", "write");
  const taken = blocking.write(filled(100, 1), 0, 100, 0);
  assert.ok(taken >= 1 && taken < 100);
  assert.equal(disk.bytesOf("/d/a").length, taken);
  const file = await disk.files.open("/d/a", "write");
  await file.write(filled(100, 2), 0);
  assert.deepEqual(disk.bytesOf("/d/a"), filled(100, 2));
});

test("a full disk: what fits is taken, space comes back on removal, overwriting needs none", async () => {
  const disk = withFile(filled(600, 1), { capacityBytes: 1_000 });
  const file = disk.blocking.open("/d/b", "create");
  assert.equal(file.write(filled(500, 2), 0, 500, 0), 400);
  assert.throws(() => file.write(filled(100, 2), 0, 100, 400), code("NO_SPACE"));
  assert.equal(disk.usedBytes, 1_000);
  assert.equal(file.write(filled(400, 3), 0, 400, 0), 400);
  const handle = await disk.files.open("/d/a", "write");
  await assert.rejects(handle.write(filled(10, 4), 595), code("NO_SPACE"));
  assert.deepEqual(disk.bytesOf("/d/a").subarray(595), filled(5, 4));
  await disk.files.link("/d/a", "/d/c");
  await disk.files.remove("/d/a");
  await disk.files.remove("/d/c");
  assert.equal(disk.usedBytes, 1_000, "it is open still");
  await handle.close();
  assert.equal(disk.usedBytes, 400);
  assert.equal(file.write(filled(600, 5), 0, 600, 400), 600);
  disk.capacityBytes = 2_000;
  assert.equal(file.write(filled(600, 5), 0, 600, 1_000), 600);
  put(disk, "/d/e", filled(100, 1));
  assert.equal(disk.usedBytes, 1_700);
  disk.blocking.rename("/d/e", "/d/b");
  file.close();
  assert.equal(disk.usedBytes, 100);
});

test("used space after a crash is that of what is left", () => {
  const disk = withFile(filled(100, 1));
  put(disk, "/d/b", filled(50, 1));
  disk.blocking.open("/d/b", "read");
  disk.blocking.remove("/d/b");
  assert.equal(disk.usedBytes, 150);
  disk.kill();
  assert.equal(disk.usedBytes, 100);
  put(disk, "/d/a", filled(50, 1), 100);
  disk.crash({ keep: "synced" });
  assert.equal(disk.usedBytes, 100);
});

test("observers see every operation before and after it, and can fail it or crash the disk there", async () => {
  const events: string[] = [];
  const disk = withFile(bytes(1));
  disk.onOperation = ({ phase, operation, path, to, mode, length, error }: DiskEvent) =>
    void events.push(
      [phase, operation, path, to, mode, length, error && "failed"]
        .filter((x) => x !== undefined)
        .join(" "),
    );
  const file = await disk.files.open("d/./a", "write");
  await file.write(bytes(2, 3), 0);
  await assert.rejects(disk.files.rename("/d/none", "/d/b"));
  assert.deepEqual(events, [
    "before open /d/a write",
    "after open /d/a write",
    "before write /d/a 2",
    "after write /d/a 2",
    "before rename /d/none /d/b",
    "after rename /d/none /d/b failed",
  ]);
  assert.equal(disk.operations(), 3);
  assert.equal(disk.operations("write"), 1);
  assert.equal(disk.operations("remove"), 0);

  disk.onOperation = ({ phase, operation }) => {
    if (phase === "before" && operation === "write") throw new Error("observer");
  };
  await assert.rejects(file.write(bytes(9), 0), /observer/);
  assert.deepEqual(disk.bytesOf("/d/a"), bytes(2, 3));

  disk.onOperation = ({ phase, operation }) => {
    if (phase === "after" && operation === "datasync") disk.crash({ keep: "synced" });
  };
  await assert.rejects(file.datasync(), code("IO_ERROR"));
  assert.deepEqual(disk.bytesOf("/d/a"), bytes(2, 3), "it was synced, and nobody was told");
  disk.onOperation = () => void disk.crash();
  assert.throws(() => disk.blocking.open("/d/new", "create"), code("IO_ERROR"));
  disk.onOperation = undefined;
  assert.deepEqual(disk.listAll(), ["/d/", "/d/a"]);
});
