import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasCode } from "@karst/runtime";
import { workerDevice, workerEntry } from "@karst/wal";
import { walConformance } from "@karst/wal/conformance";
import { describe, test } from "vitest";
import { diskCapabilities, DiskPlace } from "./disk-place.ts";

// The worker runs the built output: `tsc -b` first. Without it `workerEntry` throws, and every test here fails saying so.

describe("file WAL by a worker", () => {
  walConformance({
    test,
    create: async (limits) => new DiskPlace(workerDevice, limits),
    capabilities: diskCapabilities,
  });
});

test("the worker's program is built output", () => {
  assert.match(workerEntry().pathname, /\/dist\/drivers\/worker-entry\.js$/);
});

test("errors come back from the worker with kind and code, and the device goes on", async () => {
  const directory = mkdtempSync(join(tmpdir(), "karst-wal-"));
  const device = workerDevice(directory);
  try {
    await device.createFence(1);
    await assert.rejects(device.createFence(1), (error) => hasCode(error, "FILE_EXISTS"));
    await assert.rejects(device.size("nothing"), (error) => hasCode(error, "FILE_NOT_FOUND"));
    assert.deepEqual(
      (await device.list()).map(({ name }) => name),
      ["fence-1"],
    );
  } finally {
    await device.close();
    rmSync(directory, { recursive: true, force: true });
  }
});

test("after close every call of a device rejects", async () => {
  const directory = mkdtempSync(join(tmpdir(), "karst-wal-"));
  const device = workerDevice(directory);
  await device.list();
  await device.close();
  await device.close();
  await assert.rejects(device.list(), (error) => hasCode(error, "IO_ERROR"));
  rmSync(directory, { recursive: true, force: true });
});
