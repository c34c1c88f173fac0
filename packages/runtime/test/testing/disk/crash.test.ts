import { hasCode } from "@karst/runtime";
import { ManualClock, SeededRandom, SimulatedDisk } from "@karst/runtime/testing";
import assert from "node:assert/strict";
import { test } from "vitest";
import { bytes, filled, code, makeDisk, withFile, put, outcomes } from "./fixtures.ts";

test("what was not synced may be kept, lost, torn or out of order", () => {
  const disk = withFile(filled(1_024, 1), { garbage: false });
  put(disk, "/d/a", filled(2_048, 2));
  const seen = outcomes(disk, (crashed) => crashed.bytesOf("/d/a"));
  const lengths = new Set(seen.map((content) => content.length));
  assert.ok(lengths.has(1_024) && lengths.has(2_048) && lengths.size > 5);
  const first = (content: Uint8Array): number | undefined => content[0];
  const second = (content: Uint8Array): number | undefined => content[512];
  assert.ok(
    seen.some((content) => first(content) === 1 && second(content) === 2),
    "later sector without the earlier",
  );
  assert.ok(
    seen.some((content) => first(content) === 2 && second(content) === 1),
    "earlier sector without the later",
  );
  assert.ok(
    seen.some((content) => content[0] === 2 && content[511] === 1),
    "a torn sector",
  );
  assert.ok(
    seen.some(
      (content) => content.length === 2_048 && content.subarray(1_024).every((byte) => byte === 0),
    ),
  );
  assert.ok(seen.some((content) => content.every((byte) => byte === 2)));
  assert.ok(seen.some((content) => content.every((byte) => byte === 1)));
});

test("an overwritten, never synced version may come back", () => {
  const disk = withFile(filled(512, 1));
  put(disk, "/d/a", filled(512, 2));
  put(disk, "/d/a", filled(512, 3));
  const seen = new Set(outcomes(disk, (crashed) => crashed.bytesOf("/d/a")[0]));
  assert.deepEqual(seen, new Set([1, 2, 3]));
});

test("where a file had grown a crash may leave garbage, unless told not to", () => {
  const garbage = withFile(bytes());
  put(garbage, "/d/a", filled(4_096, 7));
  const strange = (content: Uint8Array): boolean =>
    content.some((byte) => byte !== 0 && byte !== 7);
  assert.ok(outcomes(garbage, (crashed) => crashed.bytesOf("/d/a")).some(strange));
  const clean = withFile(bytes(), { garbage: false });
  put(clean, "/d/a", filled(4_096, 7));
  assert.ok(!outcomes(clean, (crashed) => crashed.bytesOf("/d/a")).some(strange));
});

test("crash can keep exactly the synced, or everything", () => {
  const disk = withFile(filled(100, 1));
  put(disk, "/d/a", filled(2_000, 2), 50);
  put(disk, "/d/b", bytes(3));
  const synced = disk.clone(new SeededRandom(1));
  const report = synced.crash({ keep: "synced" });
  assert.deepEqual(synced.snapshot(), new Map([["/d/a", filled(100, 1)]]));
  assert.deepEqual(report, {
    sectorsKept: 0,
    sectorsDropped: 5,
    sectorsTorn: 0,
    namesKept: 0,
    namesDropped: 1,
  });
  const before = disk.snapshot();
  disk.crash({ keep: "all" });
  assert.deepEqual(disk.snapshot(), before);
  disk.crash({ keep: "synced" });
  assert.deepEqual(disk.snapshot(), before);
});

test("data is durable with its sync, a name with the sync of its directory, and both are needed", () => {
  const disk = makeDisk();
  disk.blocking.makeDirectory("/x/y");
  const file = disk.blocking.open("/x/y/a", "create");
  file.write(filled(600, 1), 0, 600, 0);
  assert.equal(disk.isDurable("/x/y/a", 0, 600), false);
  file.datasync();
  disk.blocking.syncDirectory("/x/y");
  assert.equal(disk.isNameDurable("/x/y/a"), false);
  disk.blocking.syncDirectory("/x");
  assert.equal(disk.isNameDurable("/x/y/a"), false);
  disk.blocking.syncDirectory("/");
  assert.equal(disk.isNameDurable("/x/y/a"), true);
  assert.equal(disk.isDurable("/x/y/a", 0, 600), true);
  assert.equal(disk.pendingNames, 0);
  file.write(filled(10, 2), 0, 10, 595);
  assert.equal(disk.isDurable("/x/y/a", 0, 595), true);
  assert.equal(disk.isDurable("/x/y/a", 0, 596), false);
  assert.equal(disk.isDurable("/x/y/a", 600, 605), false);
  disk.crash({ keep: "synced" });
  assert.deepEqual(disk.bytesOf("/x/y/a"), filled(600, 1));
});

test("writing the same bytes again leaves them durable", () => {
  const disk = withFile(filled(600, 1));
  put(disk, "/d/a", filled(100, 1), 20);
  assert.equal(disk.isDurable("/d/a", 0, 600), true);
});

test("a kill keeps what was written, and none of it gets more durable", () => {
  const disk = withFile(filled(100, 1));
  const old = disk.blocking.open("/d/a", "write");
  const { files } = disk;
  old.write(filled(100, 2), 0, 100, 0);
  disk.kill();
  assert.throws(() => old.write(bytes(3), 0, 1, 0), code("IO_ERROR"));
  assert.throws(() => old.close(), code("IO_ERROR"));
  assert.deepEqual(disk.bytesOf("/d/a"), filled(100, 2));
  assert.equal(disk.isDurable("/d/a", 0, 100), false);
  disk.crash({ keep: "synced" });
  assert.deepEqual(disk.bytesOf("/d/a"), filled(100, 1));
  return assert.rejects(files.list("/"), code("IO_ERROR"));
});

test("after a crash every old handle is dead, and the next life works", async () => {
  const disk = withFile(filled(10, 1));
  const handle = await disk.files.open("/d/a", "write");
  const inFlight = handle.write(filled(10, 2), 0);
  disk.crash();
  await assert.rejects(inFlight, code("IO_ERROR"));
  for (const attempt of [
    handle.read(bytes(0), 0),
    handle.datasync(),
    handle.size(),
    handle.close(),
  ]) {
    await assert.rejects(attempt, code("IO_ERROR"));
  }
  assert.deepEqual(disk.bytesOf("/d/a"), filled(10, 1));
  const next = await disk.files.open("/d/a", "write");
  await next.write(filled(10, 3), 0);
  await next.close();
  assert.deepEqual(disk.bytesOf("/d/a"), filled(10, 3));
});

test("every crash point of write-sync-rename leaves the old content or the new, and a missing sync shows", () => {
  const oldContent = filled(700, 1);
  const newContent = filled(900, 2);
  const replace = (disk: SimulatedDisk, sync: boolean): void => {
    const file = disk.blocking.open("/d/tmp", "create");
    file.write(newContent, 0, newContent.length, 0);
    if (sync) file.datasync();
    file.close();
    disk.blocking.rename("/d/tmp", "/d/a");
    disk.blocking.syncDirectory("/d");
  };
  const run = (
    point: number,
    seed: number,
    sync: boolean,
  ): { content: Uint8Array; finished: boolean } => {
    const disk = withFile(oldContent, { random: new SeededRandom(seed) });
    disk.onOperation = ({ phase, sequence }) => {
      if (sequence * 2 + (phase === "after" ? 1 : 0) === point) disk.crash();
    };
    let finished = true;
    try {
      replace(disk, sync);
    } catch (error) {
      assert.ok(hasCode(error, "IO_ERROR"));
      finished = false;
    }
    disk.onOperation = undefined;
    disk.crash();
    return { content: disk.bytesOf("/d/a"), finished };
  };
  const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
  let broken = 0;
  for (let point = 2; point <= 16; point += 1) {
    for (let seed = 0; seed < 20; seed += 1) {
      const { content, finished } = run(point, seed, true);
      assert.ok(
        equal(content, newContent) || (!finished && equal(content, oldContent)),
        `${point} ${seed}`,
      );
      const unsynced = run(point, seed, false).content;
      if (!equal(unsynced, newContent) && !equal(unsynced, oldContent)) broken += 1;
    }
  }
  assert.ok(broken > 50, `${broken}`);
});

test("with latency operations take simulated time, and a sync covers only the writes that were complete when it began", async () => {
  const clock = new ManualClock();
  const disk = withFile(filled(512, 1), {
    clock,
    latency: ({ operation }) => (operation === "write" ? 10 : 5),
  });
  const file = await clock.runUntil(disk.files.open("/d/a", "write"));
  const start = clock.monotonicMs();
  const written = file.write(filled(512, 2), 0);
  const synced = file.datasync();
  await clock.runUntil(synced);
  assert.equal(clock.monotonicMs() - start, 5);
  await clock.runUntil(written);
  assert.equal(clock.monotonicMs() - start, 10);
  assert.equal(disk.isDurable("/d/a", 0, 512), false);

  const second = file.datasync();
  await clock.advance(2);
  const overwritten = disk.blocking.open("/d/a", "write");
  overwritten.write(filled(100, 3), 0, 100, 0);
  await clock.runUntil(second);
  disk.crash({ keep: "synced" });
  assert.deepEqual(
    disk.bytesOf("/d/a"),
    filled(512, 2),
    "the content at the time when the sync began",
  );
  assert.throws(
    () => new SimulatedDisk({ random: new SeededRandom(1), latency: { minMs: 0, maxMs: 1 } }),
    TypeError,
  );
});
