import assert from "node:assert/strict";
import type { WalPosition } from "@karst/wal";
import { test } from "vitest";
import { DamageWorld, segmentPaths } from "./damage-world.ts";

/** Every n-th byte, another bit each time. `KARST_RUNS` above the default looks at every byte. */
const STRIDE = Number(process.env["KARST_RUNS"] ?? 0) > 300 ? 1 : 23;

test("any bit flipped in a sealed log is refused, or makes no difference", async () => {
  const world = await DamageWorld.make({ frames: 40, seal: true });
  const tally = { opened: 0, refused: 0 };
  for (const path of world.copy().listAll()) {
    if (path.endsWith("/")) continue;
    const bytes = world.copy().bytesOf(path).length;
    for (let at = 0; at < bytes; at += STRIDE) {
      const disk = world.copy();
      disk.flip(path, at, at % 8);
      const outcome = await world.assertRefusedOrWhole(disk, `${path}, byte ${at}`);
      tally[outcome.tag] += 1;
      if (outcome.tag === "refused")
        assert.ok(outcome.message.includes(path.slice(path.lastIndexOf("/") + 1)), outcome.message);
    }
  }
  assert.ok(tally.refused > 100 && tally.opened > 0, JSON.stringify(tally));
});

test("in a log without the last watermark only the last group can be taken for a torn tail", async () => {
  const world = await DamageWorld.make({ frames: 30, seal: false });
  const last = world.fileOf(world.lastEntry.start);
  let lost = 0;
  for (const path of segmentPaths(world.copy())) {
    for (let at = 0; at < world.copy().bytesOf(path).length; at += STRIDE) {
      const disk = world.copy();
      disk.flip(path, at, at % 8);
      const outcome = await world.open(disk);
      if (outcome.tag === "refused" || outcome.ids.length === world.ids.length) continue;
      lost += 1;
      assert.equal(path, last.path);
      assert.ok(world.ids.length - outcome.ids.length <= 4, "no more than a group");
      assert.deepEqual(outcome.ids, world.ids.slice(0, outcome.ids.length));
      assert.equal(outcome.cuts, 1, "and it is reported");
    }
  }
  assert.ok(lost > 0);
});

test("a flipped bit is refused with file and position", async () => {
  const world = await DamageWorld.make({ frames: 40, seal: true });
  const disk = world.copy();
  const path = segmentPaths(disk)[0] as string;
  disk.flip(path, 512 + 70, 3);
  const outcome = await world.open(disk);
  assert.equal(outcome.tag, "refused");
  assert.equal(outcome.code, "WAL_CORRUPT");
  assert.match(
    outcome.message,
    /segment-000001-0000000000000000 has no valid group at position \d+/,
  );
});

test("the last write, torn at every byte, is cut; everything before it is there", async () => {
  const world = await DamageWorld.make({ frames: 31, seal: false });
  const { start, end } = world.lastEntry;
  const { path, at } = world.fileOf(start);
  // Its group's header lies before it.
  const from = at - 48;
  const length = end - start + 48;
  const whole = world.copy().bytesOf(path);
  const unharmed = await world.open(world.copy());
  assert.deepEqual(unharmed.tag === "opened" && unharmed.ids, world.ids);
  for (const garbage of [false, true]) {
    for (let cut = 0; cut < length; cut += 1) {
      const disk = world.copy();
      const rest = new Uint8Array(length - cut);
      if (garbage) rest.fill(0x4b);
      disk.overwrite(path, from + cut, rest);
      const outcome = await world.open(disk);
      assert.equal(outcome.tag, "opened", JSON.stringify(outcome));
      // A frame ends with zeros: a cut among them has taken nothing.
      const same = rest.every((byte, i) => byte === whole[from + cut + i]);
      assert.deepEqual(outcome.ids, same ? world.ids : world.ids.slice(0, -1), `cut at ${cut}`);
      if (cut > 0) assert.equal(outcome.cuts, same ? 0 : 1, "the tail is reported");
    }
  }
});

test("a file that is cut short, or gone, is refused, or makes no difference", async () => {
  const world = await DamageWorld.make({ frames: 60, seal: true });
  const outcomes = new Map<string, string>();
  for (const path of world.copy().listAll()) {
    if (path.endsWith("/")) continue;
    const bytes = world.copy().bytesOf(path).length;
    for (let size = 0; size < bytes; size += STRIDE * 5) {
      const disk = world.copy();
      disk.truncate(path, size);
      await world.assertRefusedOrWhole(disk, `${path} cut to ${size}`);
    }
    const disk = world.copy();
    disk.blocking.remove(path);
    outcomes.set(path, (await world.assertRefusedOrWhole(disk, `without ${path}`)).tag);
  }
  const segments = segmentPaths(world.copy());
  assert.ok(segments.length >= 3);
  // The last one is the spare.
  for (const path of segments.slice(0, -1)) assert.equal(outcomes.get(path), "refused", path);
});

test("all segments gone is refused, and so is a log below the catalogue's trim", async () => {
  const world = await DamageWorld.make({ frames: 60, seal: true });
  const disk = world.copy();
  for (const path of segmentPaths(disk)) disk.blocking.remove(path);
  const gone = await world.open(disk);
  assert.equal(gone.tag === "refused" && gone.code, "WAL_CORRUPT");
  for (const beyond of [1, 5_000, 1_000_000]) {
    const stale = await world.open(
      world.copy(),
      (world.lastEntry.end + 48 + beyond) as WalPosition,
    );
    assert.equal(stale.tag === "refused" && stale.code, "WAL_STALE");
  }
});

test("what lies below the trim may be damaged or missing where whole segments do", async () => {
  const world = await DamageWorld.make({ frames: 80, seal: true, trim: 0.9 });
  const disk = world.copy();
  const first = segmentPaths(disk)[0] as string;
  const base = Number(first.slice(first.lastIndexOf("-") + 1));
  assert.ok(base > 0, "the first segments have been removed");
  const outcome = await world.open(disk);
  assert.deepEqual(outcome.tag === "opened" && outcome.ids, world.ids);
});

test("old bytes behind the log's end never come back", async () => {
  const world = await DamageWorld.make({ frames: 31, seal: false });
  const disk = world.copy();
  const { path, at } = world.fileOf(world.lastEntry.end);
  const bytes = disk.bytesOf(path);
  // Copies of whole groups of the same segment, and of others, right where the next group would be.
  disk.overwrite(path, at, bytes.subarray(512, 512 + 300));
  const outcome = await world.open(disk);
  assert.deepEqual(outcome.tag === "opened" && outcome.ids, world.ids);
});
