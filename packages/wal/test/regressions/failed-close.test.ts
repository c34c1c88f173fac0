// A file that cannot be closed fails the creation that it had to make room for, and nothing of that stays open or has a name.
// Found by family `wal`, seed 203703740 with eight times the crashes: "1 files are open" after a clean close.
import assert from "node:assert/strict";
import { simulatedRuntime } from "@karst/runtime/testing";
import { simulatedDevice } from "@karst/wal";
import { test } from "vitest";
import { OPEN_FILES_MAX } from "../../src/limits.ts";
import { DIRECTORY } from "../simulated-place.ts";

test("the oldest file cannot be closed when one more is created", async () => {
  const { disk, blocking, clock } = simulatedRuntime({ seed: 1, autoDefer: true });
  let open = 0;
  disk.onOperation = ({ operation, phase, error }) => {
    if (phase === "before") return;
    if (operation === "open" && error === undefined) open += 1;
    if (operation === "close") open -= 1;
  };
  const device = simulatedDevice({ files: blocking, directory: DIRECTORY, clock });
  const create = (name: string): Promise<void> =>
    device.create({ name, header: new Uint8Array(16), fileBytes: 64, epoch: 1 });
  await device.list();
  await device.createFence(1);
  for (let n = 0; n < OPEN_FILES_MAX; n += 1) await create(`segment-${n}`);
  disk.fault({ on: "close", effect: "EIO" });
  await assert.rejects(create("segment-last"), { code: "IO_ERROR" });
  const names = (await device.list()).map(({ name }) => name);
  assert.ok(!names.includes("segment-last"), names.join());
  await create("segment-last");
  await device.close();
  assert.equal(open, 0);
});
