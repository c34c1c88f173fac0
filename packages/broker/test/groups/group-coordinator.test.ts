import assert from "node:assert/strict";
import { hasStateStream } from "@karst/core";
import { ErrorCode } from "@karst/kafka-protocol";
import { utf8Decode } from "@karst/runtime";
import { afterEach, beforeEach, describe, test } from "vitest";
import { type CommitOutcome } from "../../src/groups/live-groups.ts";
import { GroupWorld, settles } from "./world.ts";

let world: GroupWorld;

beforeEach(async () => {
  world = await GroupWorld.open();
});

afterEach(() => world.close());

function taken(outcome: CommitOutcome): Promise<void> {
  assert.equal(outcome.tag, "taken");
  assert(outcome.tag === "taken");
  return outcome.durable;
}

function refusedWith(outcome: CommitOutcome): number {
  assert(outcome.tag === "refused");
  return outcome.errorCode;
}

describe("what is durable", () => {
  test("a commit is acknowledged, and shown, when it is durable", async () => {
    await taken(await world.commit("g", 1));
    world.diskMs = 10;
    const durable = taken(await world.commit("g", 2));
    const groups = await world.groups();
    const shown = groups.durableOf("g");
    assert(shown !== undefined);
    assert(!(await settles(durable)) && !(await settles(shown)));
    await world.drive(durable);
    assert(await settles(shown));
    assert.equal(groups.durableOf("g"), undefined);
  });

  test("a commit that was not durable may be gone after a crash, one that was is not", async () => {
    await taken(await world.commit("g", 1));
    await taken(await world.commit("g", 7, undefined, 3));
    world.diskMs = 100;
    const durable = taken(await world.commit("g", 2));
    assert(!(await settles(durable)));
    await world.crash();
    await assert.rejects(durable);
    assert.equal(await world.committed("g"), 1);
    assert.equal(await world.committed("g", 3), 7);
    const entry = (await world.groups()).get("g");
    const committed = entry?.offsets.get(world.topicId, 0);
    assert.deepEqual([committed?.leaderEpoch, committed?.metadata], [1, "at 1"]);
  });

  test("nobody hears of a generation that is not on record", async () => {
    await world.stable("g");
    world.diskMs = 10;
    const { answer } = await world.join("other");
    assert(!(await settles(answer)));
    const joined = await world.drive(answer);
    assert.equal(joined.generation, 1);
  });

  test("what was not durable is answered with NOT_COORDINATOR when the engine ends", async () => {
    await world.stable("g");
    world.diskMs = 100;
    const { answer } = await world.join("other");
    await world.crash();
    assert.equal((await answer).errorCode, ErrorCode.NOT_COORDINATOR);
  });
});

describe("after a crash", () => {
  test("a stable group goes on in its generation", async () => {
    const by = await world.stable("g");
    await taken(await world.commit("g", 5, by));
    await world.crash();
    const groups = await world.groups();
    assert.equal(await groups.heartbeat("g", by), ErrorCode.NONE);
    const synced = await world.sync("g", by);
    assert.equal(utf8Decode(synced.assignment), "all");
    await taken(await world.commit("g", 6, by));
    assert.equal(await world.committed("g"), 6);
  });

  test("a rebalance that was half done is completed in the same generation", async () => {
    const { answer } = await world.join("g");
    const { memberId, generation } = await answer;
    await world.crash();
    const by = { memberId, generation, instanceId: null };
    const again = await world.join("g", { memberId });
    assert.equal((await again.answer).generation, generation);
    const synced = await world.sync("g", by, { [memberId]: "mine" });
    assert.equal(utf8Decode(synced.assignment), "mine");
  });

  test("members that do not come back lose their place, and generations go on", async () => {
    const by = await world.stable("g");
    await world.crash();
    await world.groups();
    await world.runtime.clock.advance(10_001);
    const entry = (await world.groups()).get("g");
    assert.equal(entry?.group.phase, "Empty");
    const { answer } = await world.join("g");
    assert((await answer).generation > by.generation + 1);
    assert.equal(refusedWith(await world.commit("g", 9, by)), ErrorCode.UNKNOWN_MEMBER_ID);
  });

  test("who has left stays away, and who was deleted too", async () => {
    const [one, two] = [await world.stable("g", { instanceId: "i" }), await world.stable("gone")];
    const groups = await world.groups();
    assert.equal(await groups.leave("g", one), ErrorCode.NONE);
    await taken(await world.commit("gone", 3, two));
    assert.equal(await groups.delete("gone"), ErrorCode.NON_EMPTY_GROUP);
    await groups.leave("gone", two);
    assert.equal(await groups.delete("gone"), ErrorCode.NONE);
    assert.equal(await groups.delete("gone"), ErrorCode.GROUP_ID_NOT_FOUND);
    await world.crash();
    const after = await world.groups();
    assert.equal(after.get("g")?.group.phase, "Empty");
    assert.equal(after.get("gone"), undefined);
  });
});

describe("time", () => {
  test("heartbeats and commits keep a member, silence ends it", async () => {
    const by = await world.stable("g");
    const groups = await world.groups();
    const { clock } = world.runtime;
    for (let n = 0; n < 3; n += 1) {
      await clock.advance(9_000);
      if (n === 1) await taken(await world.commit("g", n, by));
      else assert.equal(await groups.heartbeat("g", by), ErrorCode.NONE);
    }
    await clock.advance(9_999);
    assert.equal(groups.get("g")?.group.phase, "Stable");
    await clock.advance(1);
    assert.equal(groups.get("g")?.group.phase, "Empty");
    assert.equal(await groups.heartbeat("g", by), ErrorCode.UNKNOWN_MEMBER_ID);
  });

  test("a rebalance goes on without those that do not join in time", async () => {
    const slow = await world.stable("g", { sessionTimeoutMs: 1_800_000 });
    const { answer } = await world.join("g");
    await world.runtime.clock.advance(59_999);
    assert(!(await settles(answer)));
    await world.runtime.clock.advance(1);
    const joined = await answer;
    assert.equal(joined.leaderId, joined.memberId);
    const groups = await world.groups();
    assert.equal(await groups.heartbeat("g", slow), ErrorCode.UNKNOWN_MEMBER_ID);
  });

  test("a join whose connection is gone counts no more, and its member has its session", async () => {
    await world.stable("g", { sessionTimeoutMs: 100_000 });
    const { answer, closed } = await world.join("g");
    closed();
    assert.equal((await answer).errorCode, ErrorCode.REBALANCE_IN_PROGRESS);
    const groups = await world.groups();
    assert.equal(groups.get("g")?.group.members.size, 2);
    await world.runtime.clock.advance(10_000);
    assert.equal(groups.get("g")?.group.members.size, 1);
  });

  test("timers of more than 24 days are not due at once", async () => {
    const { answer } = await world.join("g", { rebalanceTimeoutMs: 0x7fff_ffff });
    const { memberId, generation } = await answer;
    await world.runtime.clock.advance(5_000);
    const by = { memberId, generation, instanceId: null };
    assert.equal((await world.sync("g", by, {})).errorCode, ErrorCode.NONE);
  });
});

describe("expiry", () => {
  const weekMs = 7 * 86_400_000;

  async function sweepAfter(ms: number): Promise<void> {
    await world.runtime.clock.advance(ms + world.limits.offsetsSweepIntervalMs);
    await settles(new Promise(() => undefined));
  }

  test("offsets of a group without members go after retention, with the group", async () => {
    await taken(await world.commit("simple", 1));
    const by = await world.stable("left");
    await taken(await world.commit("left", 1, by));
    await sweepAfter(weekMs / 2);
    // Its member was silent: the group is empty since then, and counts from there.
    assert.equal(await world.committed("left"), 1);
    await taken(await world.commit("simple", 2, undefined, 1));
    await sweepAfter(weekMs / 2);
    assert.equal(await world.committed("simple", 0), undefined);
    assert.equal(await world.committed("simple", 1), 2);
    assert.equal((await world.groups()).get("left"), undefined);
    await world.crash();
    assert.equal(await world.committed("simple", 0), undefined);
    assert.equal((await world.groups()).get("left"), undefined);
  });

  test("offsets of a group with members never do", async () => {
    const sessionTimeoutMs = 1_800_000;
    const by = await world.stable("g", { sessionTimeoutMs });
    await taken(await world.commit("g", 1, by));
    const groups = await world.groups();
    for (let ms = 0; ms < weekMs * 1.1; ms += sessionTimeoutMs / 2) {
      await world.runtime.clock.advance(sessionTimeoutMs / 2);
      assert.equal(await groups.heartbeat("g", by), ErrorCode.NONE);
    }
    assert.equal(await world.committed("g"), 1);
  });

  test("offsets of a topic that is gone go, those of its successor are its own", async () => {
    const by = await world.stable("g");
    await taken(await world.commit("g", 1, by));
    await world.topics.delete(world.topicId);
    await world.topics.create({ name: "t", partitions: 1 });
    assert.equal(await world.committed("g"), undefined);
    await sweepAfter(0);
    const groups = await world.groups();
    assert.deepEqual([...(groups.get("g")?.offsets.entries() ?? [])], []);
  });
});

describe("refusals", () => {
  test("a root without groups gets no stream before somebody asks for one", async () => {
    assert(!hasStateStream(world.engine, "groups"));
    const { access } = world.coordinator;
    assert(access.tag === "refused");
    assert.equal(access.errorCode, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
    await world.groups();
    assert(hasStateStream(world.engine, "groups"));
  });

  test("commits of an older generation, another member, an unknown group", async () => {
    const by = await world.stable("g");
    const commit = async (committer: typeof by) =>
      refusedWith(await world.commit("g", 1, committer));
    assert.equal(await commit({ ...by, generation: 0 }), ErrorCode.ILLEGAL_GENERATION);
    assert.equal(await commit({ ...by, memberId: "x" }), ErrorCode.UNKNOWN_MEMBER_ID);
    assert.equal(
      await commit({ ...by, generation: -1, memberId: "" }),
      ErrorCode.UNKNOWN_MEMBER_ID,
    );
    assert.equal(refusedWith(await world.commit("nobody", 1, by)), ErrorCode.ILLEGAL_GENERATION);
    assert.equal(await world.committed("g"), undefined);
    assert.equal((await world.groups()).get("nobody"), undefined);
  });

  test("sessions out of bounds, an empty id, an unknown member", async () => {
    const codeOf = async (...args: Parameters<GroupWorld["join"]>) =>
      (await (await world.join(...args)).answer).errorCode;
    assert.equal(await codeOf(""), ErrorCode.INVALID_GROUP_ID);
    assert.equal(await codeOf("g", { sessionTimeoutMs: 5_999 }), ErrorCode.INVALID_SESSION_TIMEOUT);
    assert.equal(
      await codeOf("g", { sessionTimeoutMs: 1_800_001 }),
      ErrorCode.INVALID_SESSION_TIMEOUT,
    );
    assert.equal(await codeOf("g", { memberId: "m" }), ErrorCode.UNKNOWN_MEMBER_ID);
    assert.equal((await world.groups()).get("g"), undefined, "nothing is kept of it");
  });

  test("an id that is never used, in a group without anything, leaves nothing behind", async () => {
    const { answer } = await world.join("g", { idRequired: true });
    assert.equal((await answer).errorCode, ErrorCode.MEMBER_ID_REQUIRED);
    await world.runtime.clock.advance(10_000);
    assert.equal((await world.groups()).get("g"), undefined);
  });

  test("one group more than allowed", async () => {
    await world.close();
    world = await GroupWorld.open({ groupsMax: 1 });
    await world.stable("g");
    const { answer } = await world.join("h");
    assert.equal((await answer).errorCode, ErrorCode.GROUP_MAX_SIZE_REACHED);
    assert.equal(refusedWith(await world.commit("h", 1)), ErrorCode.GROUP_MAX_SIZE_REACHED);
  });

  test("what cannot be written does not happen, and can be tried again", async () => {
    const by = await world.stable("g");
    await taken(await world.commit("g", 1, by));
    // All of the memory is taken, and what is left of the newest slab is filled up.
    let reserved = 0;
    for (let bytes = 2 ** 24; bytes >= 1; bytes /= 2)
      while (world.memory.tryReserve(bytes)) reserved += bytes;
    let offset = 1;
    for (;;) {
      const outcome = await world.commit("g", offset + 1, by);
      if (outcome.tag === "refused") break;
      await outcome.durable;
      offset += 1;
    }
    const again = await world.commit("g", offset + 1, by);
    assert.equal(refusedWith(again), ErrorCode.COORDINATOR_NOT_AVAILABLE);
    assert.equal(await world.committed("g"), offset);
    const { answer } = await world.join("h");
    assert.equal((await answer).errorCode, ErrorCode.COORDINATOR_NOT_AVAILABLE);
    // Its session has ended, but that cannot be written.
    await world.runtime.clock.advance(11_000);
    assert.equal((await world.groups()).get("g")?.group.phase, "Stable");
    world.memory.release(reserved);
    await world.runtime.clock.advance(1_000);
    assert.equal((await world.groups()).get("g")?.group.phase, "Empty");
    await world.crash();
    assert.equal(await world.committed("g"), offset);
  });

  test("whoever waits at the end is answered", async () => {
    await world.stable("g");
    const { answer } = await world.join("g");
    await world.coordinator.close();
    assert.equal((await answer).errorCode, ErrorCode.NOT_COORDINATOR);
    const { access } = world.coordinator;
    assert(access.tag === "refused");
    assert.equal(access.errorCode, ErrorCode.NOT_COORDINATOR);
  });
});
