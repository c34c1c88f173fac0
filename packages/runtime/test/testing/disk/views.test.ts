import { SeededRandom } from "@karst/runtime/testing";
import assert from "node:assert/strict";
import { test } from "vitest";
import { bytes, filled, code, makeDisk, withFile, put } from "./fixtures.ts";

test("helpers change the medium itself", () => {
  const disk = withFile(filled(1_000, 0b1000));
  put(disk, "/d/a", filled(10, 0b1000), 0);
  disk.flip("/d/a", 5, 0);
  disk.truncate("/d/a", 700);
  disk.overwrite("/d/a", 698, bytes(1, 2, 3, 4));
  disk.crash();
  const content = disk.bytesOf("/d/a");
  assert.equal(content.length, 702);
  assert.deepEqual(content.subarray(4, 7), bytes(8, 9, 8));
  assert.deepEqual(content.subarray(697), bytes(8, 1, 2, 3, 4));
  disk.truncate("/d/a", 1_500);
  disk.crash({ keep: "synced" });
  assert.deepEqual(disk.bytesOf("/d/a").subarray(702), new Uint8Array(798));
  assert.equal(disk.usedBytes, 1_500);
  assert.throws(() => disk.flip("/d/a", 1_500, 0), RangeError);
  disk.install("/d/a", bytes(1));
  disk.install("/new/deep/b", bytes(2));
  assert.deepEqual(disk.listAll(), ["/d/", "/d/a", "/new/", "/new/deep/", "/new/deep/b"]);
  assert.equal(disk.isDurable("/new/deep/b", 0, 1), true);
  assert.equal(disk.isDurable("/d/a", 0, 1), true);
  assert.throws(() => disk.bytesOf("/d/none"), code("FILE_NOT_FOUND"));
});

test("a clone goes its own way", () => {
  const disk = withFile(filled(10, 1), { capacityBytes: 5_000 });
  put(disk, "/d/b", bytes(5));
  const before = disk.snapshot();
  const clone = disk.clone(new SeededRandom(3));
  assert.deepEqual(clone.snapshot(), before);
  put(clone, "/d/a", filled(10, 9));
  clone.blocking.remove("/d/b");
  clone.crash();
  assert.deepEqual(disk.snapshot(), before);
  assert.equal(clone.capacityBytes, 5_000);
  disk.blocking.syncDirectory("/d");
  assert.equal(disk.isNameDurable("/d/b"), true);
});

test("one seed, one history", () => {
  const run = (): Map<string, Uint8Array> => {
    const disk = makeDisk({ random: new SeededRandom("history") });
    disk.blocking.makeDirectory("/d");
    for (let i = 0; i < 20; i += 1) put(disk, `/d/${i}`, filled(2_000, i));
    disk.crash();
    return disk.snapshot();
  };
  assert.deepEqual(run(), run());
});
