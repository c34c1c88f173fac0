import assert from "node:assert/strict";
import { test } from "vitest";
import { GroupWorld, settles } from "./world.ts";

test("of a group that is made again at once nothing is told before the deletion of the one before is durable", async () => {
  const world = await GroupWorld.open();
  await world.groups();
  const first = await world.commit("g", 7);
  assert.equal(first.tag, "taken");
  await world.drive(first.durable ?? Promise.resolve());

  world.diskMs = 1;
  const groups = await world.groups();
  const deleted = groups.delete("g");
  // No generation yet, so nothing is written for it.
  await world.join("g", { idRequired: true });
  assert.equal(await world.committed("g"), undefined);
  const told = groups.durableOf("g") ?? Promise.resolve();
  assert.equal(await settles(told), false, "the offset may come back");
  assert.equal(await world.drive(deleted), 0);
  await world.drive(told);
  await world.close();
});
