import assert from "node:assert/strict";
import { utf8Encode } from "@karst/runtime";
import { SeededRandom, SimulatedDisk, simulatedRuntime } from "@karst/runtime/testing";
import { test } from "vitest";
import { contentOf, DamageWorld, openDisk, segmentPaths } from "./recovery/damage-world.ts";
import { DIRECTORY } from "./simulated-place.ts";

function emptyDisk(): SimulatedDisk {
  return new SimulatedDisk({ random: new SeededRandom(5) });
}

test("a directory that holds something else is refused and left as it is", async () => {
  for (const name of ["readme.txt", ".hidden", "segments", "fence-x"]) {
    const disk = emptyDisk();
    disk.install(`${DIRECTORY}/${name}`, utf8Encode("precious"));
    const before = disk.snapshot();
    const outcome = await openDisk(disk);
    assert.ok(outcome.tag === "refused");
    assert.equal(outcome.code, "WAL_FOREIGN");
    assert.match(
      outcome.message,
      new RegExp(`${DIRECTORY} is not a WAL's directory: it holds "${name.replace(".", "\\.")}"`),
    );
    assert.deepEqual(disk.snapshot(), before);
  }
});

test("a directory in the directory is foreign, too", async () => {
  const disk = emptyDisk();
  disk.blocking.makeDirectory(`${DIRECTORY}/fence-1`);
  const outcome = await openDisk(disk);
  assert.equal(outcome.tag === "refused" && outcome.code, "WAL_FOREIGN");
});

test("another root's WAL is refused with a sentence that names both, and nothing is written", async () => {
  const world = await DamageWorld.make({ frames: 5, seal: true });
  const disk = world.copy();
  const before = disk.snapshot();
  const outcome = await openDisk(disk, undefined, "other-root");
  assert.ok(outcome.tag === "refused");
  assert.equal(outcome.code, "WAL_FOREIGN");
  assert.match(
    outcome.message,
    /of root root, and root other-root was opened\. Open that root, or choose another directory/,
  );
  assert.deepEqual(disk.snapshot(), before);
});

test("a newer identity is refused, and nothing is written", async () => {
  const world = await DamageWorld.make({ frames: 5, seal: true });
  for (const version of [2, 255]) {
    const disk = world.copy();
    disk.overwrite(`${DIRECTORY}/identity`, 4, new Uint8Array([0, 0, 0, version]));
    const before = disk.snapshot();
    const outcome = await world.open(disk);
    assert.equal(outcome.tag === "refused" && outcome.code, "WAL_VERSION");
    assert.deepEqual(disk.snapshot(), before);
  }
});

test("a newer segment is refused, and no byte of the log is changed", async () => {
  const world = await DamageWorld.make({ frames: 5, seal: true });
  const disk = world.copy();
  disk.overwrite(segmentPaths(disk)[0] as string, 4, new Uint8Array([0, 0, 0, 2]));
  const before = contentOf(disk);
  const outcome = await world.open(disk);
  assert.equal(outcome.tag === "refused" && outcome.code, "WAL_VERSION");
  assert.deepEqual(contentOf(disk), before);
});

test("segments without an identity are refused", async () => {
  const world = await DamageWorld.make({ frames: 5, seal: true });
  const disk = world.copy();
  disk.blocking.remove(`${DIRECTORY}/identity`);
  const outcome = await world.open(disk);
  assert.equal(outcome.tag === "refused" && outcome.code, "WAL_CORRUPT");
});

test("a segment of another WAL is refused", async () => {
  const world = await DamageWorld.make({ frames: 5, seal: true });
  const disk = world.copy();
  const other = simulatedRuntime({ seed: 99 });
  assert.equal((await openDisk(other.disk)).tag, "opened");
  const path = segmentPaths(disk)[0] as string;
  const foreign = other.disk.bytesOf(segmentPaths(other.disk)[0] as string);
  const walId = foreign.slice(16, 32).map((byte) => byte ^ 1);
  disk.install(path, foreign);
  disk.overwrite(path, 16, walId);
  const outcome = await world.open(disk);
  assert.equal(outcome.tag === "refused" && outcome.code, "WAL_CORRUPT");
});

test("files that are none of ours do not stop a WAL that has an identity", async () => {
  const world = await DamageWorld.make({ frames: 5, seal: true });
  const disk = world.copy();
  disk.install(`${DIRECTORY}/.nfs0001`, new Uint8Array(3));
  const outcome = await world.open(disk);
  assert.deepEqual(outcome.tag === "opened" && outcome.ids, world.ids);
  assert.ok(disk.listAll().includes(`${DIRECTORY}/.nfs0001`));
});

test("an opening leaves one fence, its segments and no temporary files", async () => {
  const world = await DamageWorld.make({ frames: 50, seal: true });
  const disk = world.copy();
  disk.install(`${DIRECTORY}/temporary-segment-000001-0000000000999999`, new Uint8Array(100));
  for (let opening = 0; opening < 4; opening += 1) {
    const outcome = await openDisk(disk);
    assert.equal(outcome.tag, "opened");
    disk.kill();
  }
  const names = disk.listAll().map((path) => path.slice(path.lastIndexOf("/") + 1));
  assert.equal(names.filter((name) => name.startsWith("fence-")).length, 1);
  assert.equal(names.filter((name) => name.startsWith("temporary-segment-000001-")).length, 0);
});
