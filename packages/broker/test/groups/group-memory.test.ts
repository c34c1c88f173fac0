import assert from "node:assert/strict";
import { ErrorCode } from "@karst/kafka-protocol";
import { onTestFinished, test } from "vitest";
import type { BrokerLimits } from "../../src/limits.ts";
import { GroupWorld } from "./world.ts";

const GROUPS_BYTES_MAX = 100_000;
const SESSION_MS = 10_000;

async function open(limits: Partial<BrokerLimits> = {}): Promise<GroupWorld> {
  const world = await GroupWorld.open({ groupsBytesMax: GROUPS_BYTES_MAX, ...limits });
  onTestFinished(() => world.close());
  return world;
}

/** Joins until one is refused; how many were not. */
async function joinsUntilRefused(join: (n: number) => Promise<number>): Promise<number> {
  for (let n = 0; n < 1_000; n += 1) {
    const errorCode = await join(n);
    if (errorCode === ErrorCode.COORDINATOR_NOT_AVAILABLE) return n;
    assert.ok(errorCode === ErrorCode.NONE || errorCode === ErrorCode.MEMBER_ID_REQUIRED);
  }
  return assert.fail("nobody was refused");
}

test("ids under ever new names find no room some time, and make room when nobody uses them", async () => {
  const world = await open();
  const join = async (n: number): Promise<number> => {
    const { answer } = await world.join(`group ${n} ${"x".repeat(1_000)}`, { idRequired: true });
    return (await answer).errorCode;
  };
  const taken = await joinsUntilRefused(join);
  assert.ok(taken > 10 && taken < GROUPS_BYTES_MAX / 2_000, `${taken} groups`);
  // No trace is left of the one that was refused.
  assert.equal([...(await world.groups()).entries].length, taken);
  await world.runtime.clock.advance(SESSION_MS + 1);
  assert.equal([...(await world.groups()).entries].length, 0);
  assert.equal(await joinsUntilRefused(join), taken);
});

test("members with long metadata find no room some time, and give it back when they leave", async () => {
  const world = await open();
  const protocols = [{ name: "range", metadata: new Uint8Array(10_000) }];
  const members: { readonly groupId: string; readonly memberId: string }[] = [];
  for (let round = 0; round < 3; round += 1) {
    const taken = await joinsUntilRefused(async (n) => {
      const groupId = `group ${n}`;
      const { answer } = await world.join(groupId, { protocols });
      const { errorCode, memberId } = await answer;
      if (errorCode === ErrorCode.NONE) members.push({ groupId, memberId });
      return errorCode;
    });
    assert.ok(taken > 3 && taken < 10, `${taken} members`);
    const groups = await world.groups();
    for (const { groupId, memberId } of members.splice(0)) {
      assert.equal(await groups.leave(groupId, { memberId, instanceId: null }), ErrorCode.NONE);
      assert.equal(await groups.delete(groupId), ErrorCode.NONE);
    }
  }
});

test("offsets find no room some time; those that are there can be committed again", async () => {
  const world = await open();
  let refused: number | undefined;
  let groups = 0;
  for (; refused === undefined; groups += 1) {
    const outcome = await world.commit(`group ${groups}`, 1);
    if (outcome.tag === "refused") refused = outcome.errorCode;
  }
  assert.equal(refused, ErrorCode.COORDINATOR_NOT_AVAILABLE);
  assert.equal((await world.commit("group 0", 2)).tag, "taken");
  assert.equal(await world.committed("group 0"), 2);
  const live = await world.groups();
  const deleted = live.deleteOffsets("group 1", [{ topicId: world.topicId, partition: 0 }]);
  assert.equal(await world.drive(deleted), ErrorCode.NONE);
  assert.equal((await world.commit("another", 1)).tag, "taken");
});

test("nothing is reserved when everything is closed, whoever was there", async () => {
  const world = await GroupWorld.open();
  await world.stable("g");
  await world.join("g");
  await world.join("waiting", { idRequired: true });
  await world.commit("offsets", 1);
  await world.close();
  assert.equal(world.memory.reservedBytes, 0);
});

test("what the engine's memory has no room for is refused before it is kept", async () => {
  const world = await open({ groupsBytesMax: Infinity, groupBytesMax: 64 << 20 });
  const protocols = [{ name: "range", metadata: new Uint8Array(40 << 20) }];
  const { answer } = await world.join("g", { protocols });
  assert.equal((await answer).errorCode, ErrorCode.COORDINATOR_NOT_AVAILABLE);
  assert.equal([...(await world.groups()).entries].length, 0);
});

test("a state that finds no room is not loaded, and is loaded when there is room", async () => {
  const world = await open();
  for (let n = 0; n < 30; n += 1) await world.commit(`group ${n}`, n);
  await world.stable("g");
  const { memory } = world;
  let taken = 0;
  await world.reloadGroups(() => {
    taken = memory.freeBytes - 20_000;
    memory.reserve(taken, "somebody else");
  });
  const access = world.coordinator.find();
  await world.runtime.clock.advance(6_000);
  assert.deepEqual(await access, {
    tag: "refused",
    errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  });
  assert.ok(world.runtime.log.of("groups-load-failed").length > 0);
  memory.release(taken);
  await world.runtime.clock.advance(20_000);
  assert.equal(await world.committed("group 7"), 7);
});
