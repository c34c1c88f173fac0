import assert from "node:assert/strict";
import { test } from "vitest";
import { CrashWorld, crossed } from "./crash-world.ts";

test("trimmed segments are used again, and what they held before never comes back", async () => {
  const world = new CrashWorld(11);
  assert.ok(await world.open());
  for (let round = 0; round < 30; round += 1) {
    for (let n = 0; n < 12; n += 1) world.append(100 + ((round * 7 + n) % 90));
    await world.flush();
    await world.trimTo(1);
  }
  assert.ok(crossed.recycled > 0);
  const files = world.disk.listAll().filter((path) => path.includes("segment-"));
  assert.ok(files.length <= 6, files.join(" "));
  for (let n = 0; n < 12; n += 1) world.append(150);
  await world.flush();
  for (const lose of ["nothing", "synced", "random"] as const) {
    await world.end(lose);
    assert.ok(await world.open());
    for (let n = 0; n < 5; n += 1) world.append(60);
  }
  await world.close();
});
