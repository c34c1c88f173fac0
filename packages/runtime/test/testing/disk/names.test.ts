import { ManualClock } from "@karst/runtime/testing";
import assert from "node:assert/strict";
import { test } from "vitest";
import { bytes, withFile, put, outcomes } from "./fixtures.ts";

test("a rename is old or new, never both or neither", () => {
  const disk = withFile(bytes(1));
  disk.install("/e/b", bytes(2));
  disk.blocking.rename("/d/a", "/e/b");
  const seen = new Set(
    outcomes(disk, (crashed) => JSON.stringify([...crashed.snapshot()].map(([p, b]) => [p, ...b]))),
  );
  assert.deepEqual([...seen].toSorted(), ['[["/d/a",1],["/e/b",2]]', '[["/e/b",1]]']);
  assert.equal(disk.isNameDurable("/e/b"), false);
  disk.blocking.syncDirectory("/e");
  assert.equal(disk.isNameDurable("/e/b"), false);
  disk.blocking.syncDirectory("/d");
  assert.equal(disk.isNameDurable("/e/b"), true);
  disk.crash({ keep: "synced" });
  assert.deepEqual(disk.snapshot(), new Map([["/e/b", bytes(1)]]));
});

test("removes and links may be undone until the directory is synced", () => {
  const disk = withFile(bytes(1));
  disk.blocking.remove("/d/a");
  assert.deepEqual(new Set(outcomes(disk, (crashed) => crashed.listAll().length)), new Set([1, 2]));
  disk.blocking.syncDirectory("/d");
  assert.deepEqual(new Set(outcomes(disk, (crashed) => crashed.listAll().length)), new Set([1]));
});

test("changes to names survive in any subset that makes sense", async () => {
  const disk = withFile(bytes(1));
  await disk.files.link("/d/a", "/d/b");
  await disk.files.rename("/d/b", "/d/c");
  put(disk, "/d/z", bytes());
  const names = outcomes(disk, (crashed) =>
    crashed.blocking
      .list("/d")
      .map((entry) => entry.name)
      .join(""),
  );
  assert.deepEqual([...new Set(names)].toSorted(), ["a", "ab", "abz", "ac", "acz", "az"]);
});

test("a removed directory takes nothing with it that was moved out and not synced", async () => {
  const disk = withFile(bytes(1));
  disk.install("/e/keep", bytes());
  await disk.files.rename("/d/a", "/e/a");
  await disk.files.removeDirectory("/d");
  for (const snapshot of outcomes(disk, (crashed) => [...crashed.snapshot().keys()])) {
    assert.ok(snapshot.includes("/d/a") !== snapshot.includes("/e/a"), snapshot.join(" "));
  }
});

test("names made while their directory is being synced are not covered", async () => {
  const clock = new ManualClock();
  const disk = withFile(bytes(1), { clock, latency: { minMs: 5, maxMs: 5 } });
  disk.blocking.open("/d/early", "create").close();
  const synced = disk.files.syncDirectory("/d");
  await clock.advance(1);
  disk.blocking.open("/d/late", "create").close();
  await clock.runUntil(synced);
  assert.equal(disk.isNameDurable("/d/early"), true);
  assert.equal(disk.isNameDurable("/d/late"), false);
});

test("a name made anew and synced survives the unfinished rename of its predecessor", () => {
  const disk = withFile(bytes(1));
  disk.install("/e/z", bytes());
  disk.blocking.rename("/d/a", "/e/b");
  disk.blocking.syncDirectory("/d");
  const file = disk.blocking.open("/d/a", "create");
  file.write(bytes(2), 0, 1, 0);
  file.datasync();
  disk.blocking.syncDirectory("/d");
  assert.equal(disk.isDurable("/d/a", 0, 1), true);
  assert.equal(disk.isNameDurable("/e/b"), false);
  const seen = outcomes(disk, (crashed) => crashed.snapshot());
  for (const snapshot of seen) assert.deepEqual(snapshot.get("/d/a"), bytes(2));
  assert.deepEqual(new Set(seen.map((snapshot) => snapshot.has("/e/b"))), new Set([true, false]));
});

test("what a synced change rests on survives with it", async () => {
  const disk = withFile(bytes(1));
  disk.install("/e/z", bytes(2));
  disk.blocking.rename("/e/z", "/d/tmp");
  disk.blocking.rename("/d/tmp", "/d/final");
  disk.blocking.syncDirectory("/d");
  assert.equal(disk.isNameDurable("/d/final"), true);
  for (const names of outcomes(disk, (crashed) => [...crashed.snapshot().keys()])) {
    assert.deepEqual(names, ["/d/a", "/d/final"]);
  }
  await disk.files.rename("/d/a", "/e/a");
  await disk.files.rename("/d/final", "/e/final");
  await disk.files.removeDirectory("/d");
  await disk.files.syncDirectory("/");
  for (const names of outcomes(disk, (crashed) => [...crashed.snapshot().keys()])) {
    assert.deepEqual(names, ["/e/a", "/e/final"]);
  }
});
