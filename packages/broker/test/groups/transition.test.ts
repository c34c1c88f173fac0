import assert from "node:assert/strict";
import { ErrorCode } from "@karst/kafka-protocol";
import { utf8Decode, utf8Encode } from "@karst/runtime";
import { beforeEach, describe, test } from "vitest";
import { commitError } from "../../src/groups/transition.ts";
import { GroupBuilder, RULES } from "./builder.ts";

let g: GroupBuilder;

beforeEach(() => {
  g = new GroupBuilder();
});

describe("joining", () => {
  test("the first member leads generation 1, and its sync makes the group stable", () => {
    const join = g.join("");
    const answer = g.joined(join);
    assert.equal(answer.errorCode, ErrorCode.NONE);
    assert.equal(answer.generation, 1);
    assert.equal(answer.leaderId, answer.memberId);
    assert.deepEqual(answer.members, [
      { memberId: answer.memberId, instanceId: null, metadata: utf8Encode("topics") },
    ]);
    assert(g.has("write"), "the generation is on record before anybody hears of it");
    assert.equal(g.group.phase, "CompletingRebalance");
    const assignments = new Map([[answer.memberId, utf8Encode("all")]]);
    const sync = g.sync(answer.memberId, { assignments });
    assert.equal(utf8Decode(g.synced(sync).assignment), "all");
    assert(g.has("write"));
    assert.equal(g.group.phase, "Stable");
  });

  test("a dynamic member without an id is given one and comes again", () => {
    const first = g.joined(g.join("", { idRequired: true }));
    assert.equal(first.errorCode, ErrorCode.MEMBER_ID_REQUIRED);
    assert.equal(g.group.phase, "Empty");
    const second = g.joined(g.join(first.memberId, { idRequired: true }));
    assert.equal(second.errorCode, ErrorCode.NONE);
    assert.equal(second.memberId, first.memberId);
    assert.equal(g.group.pendingIds.size, 0);
  });

  test("a rebalance waits for ids that were given out, until they expire", () => {
    const [one] = g.stable({});
    const pending = g.joined(g.join("", { idRequired: true })).memberId;
    const again = g.join(one ?? "", { protocols: [{ name: "range", metadata: utf8Encode("x") }] });
    assert(!g.isAnswered(again));
    g.apply({ tag: "session-expired", memberId: pending });
    assert.equal(g.joined(again).generation, 2);
  });

  test("members of an empty group are gathered, as long as they keep coming", () => {
    g.rules = { ...RULES, initialRebalanceDelayMs: 3_000 };
    const first = g.join("", { rebalanceTimeoutMs: 7_000 });
    assert.deepEqual(g.effects.at(-1), { tag: "timer", delayMs: 3_000 });
    const second = g.join("", { rebalanceTimeoutMs: 7_000 });
    g.apply({ tag: "rebalance-timeout" });
    assert.deepEqual(g.effects, [{ tag: "timer", delayMs: 3_000 }]);
    const third = g.join("", { rebalanceTimeoutMs: 7_000 });
    g.apply({ tag: "rebalance-timeout" });
    assert.deepEqual(g.effects, [{ tag: "timer", delayMs: 1_000 }]);
    g.join("", { rebalanceTimeoutMs: 7_000 });
    assert(!g.isAnswered(first));
    g.apply({ tag: "rebalance-timeout" });
    assert.equal(g.joined(first).members.length, 4);
    assert.deepEqual(g.joined(second).members, [], "only the leader sees everybody");
    assert.equal(g.joined(third).leaderId, g.joined(first).memberId);
  });

  const refusals: readonly (readonly [string, Parameters<GroupBuilder["join"]>, number])[] = [
    ["an unknown id", ["nobody"], ErrorCode.UNKNOWN_MEMBER_ID],
    [
      "another protocol type",
      ["", { protocolType: "connect" }],
      ErrorCode.INCONSISTENT_GROUP_PROTOCOL,
    ],
    ["no protocol", ["", { protocols: [] }], ErrorCode.INCONSISTENT_GROUP_PROTOCOL],
    [
      "no common protocol",
      ["", { protocols: [{ name: "sticky", metadata: utf8Encode("") }] }],
      ErrorCode.INCONSISTENT_GROUP_PROTOCOL,
    ],
    ["an unknown instance", ["fresh-1", { instanceId: "i" }], ErrorCode.UNKNOWN_MEMBER_ID],
    [
      "too many bytes",
      ["", { protocols: [{ name: "range", metadata: new Uint8Array(10_000) }] }],
      ErrorCode.GROUP_MAX_SIZE_REACHED,
    ],
  ];
  test.each(refusals)("%s is refused", (_, join, errorCode) => {
    g.stable({});
    const before = g.group;
    assert.equal(g.joined(g.join(...join)).errorCode, errorCode);
    assert.deepEqual(g.group, before);
  });

  test("a full group takes nobody, but those whom it has", () => {
    g.rules = { ...RULES, membersMax: 2 };
    const [one, two] = g.stable({}, {});
    assert.equal(g.joined(g.join("")).errorCode, ErrorCode.GROUP_MAX_SIZE_REACHED);
    assert.equal(g.joined(g.join(two ?? "")).errorCode, ErrorCode.NONE);
    assert.equal(g.joined(g.join(two ?? "")).leaderId, one);
  });

  test("a stable follower that says the same is told the generation; a leader rebalances", () => {
    const [leader, follower] = g.stable({}, {});
    const { generation } = g.group;
    assert.equal(g.joined(g.join(follower ?? "")).generation, generation);
    const again = g.join(leader ?? "");
    assert(!g.isAnswered(again));
    assert.equal(g.heartbeat(follower ?? ""), ErrorCode.REBALANCE_IN_PROGRESS);
    g.join(follower ?? "");
    assert.equal(g.joined(again).generation, generation + 1);
  });

  test("the protocol is what most prefer of what all support", () => {
    const protocols = (...names: string[]) =>
      names.map((name) => ({ name, metadata: utf8Encode(name) }));
    g.stable(
      { protocols: protocols("a", "b", "c") },
      { protocols: protocols("b", "c", "d") },
      { protocols: protocols("c", "b") },
    );
    assert.equal(g.group.protocolName, "b");
  });

  test("who joins a second time is answered on the second request alone", () => {
    const [leader] = g.stable({}, {});
    const first = g.join(leader ?? "");
    const second = g.join(leader ?? "");
    assert.equal(g.errorOf(first), ErrorCode.REBALANCE_IN_PROGRESS);
    assert(!g.isAnswered(second));
  });
});

describe("rebalancing", () => {
  test("dynamic members that do not join again are dropped, static ones kept", () => {
    const [one, , three] = g.stable({}, {}, { instanceId: "i" });
    const join = g.join(one ?? "");
    g.apply({ tag: "rebalance-timeout" });
    assert.deepEqual(
      g.joined(join).members.map(({ memberId }) => memberId),
      [one, three],
    );
  });

  test("static members alone, all away, keep the group waiting", () => {
    g.stable({ instanceId: "i" }, { instanceId: "j" });
    g.leave("", "i");
    g.apply({ tag: "rebalance-timeout" });
    assert.equal(g.group.phase, "PreparingRebalance");
    assert.deepEqual(g.effects, [{ tag: "timer", delayMs: 60_000 }]);
  });

  test("who does not ask for its assignment in time is dropped", () => {
    const one = g.joined(g.join("")).memberId;
    const two = g.join("");
    g.join(one);
    const second = g.joined(two).memberId;
    const sync = g.sync(one, { assignments: new Map([[one, utf8Encode("a")]]) });
    assert.equal(g.errorOf(sync), ErrorCode.NONE);
    assert.equal(g.group.phase, "Stable");
    g.apply({ tag: "rebalance-timeout" });
    assert.equal(g.group.phase, "PreparingRebalance");
    assert(!g.group.members.has(second));
    assert.equal(g.joined(g.join(one)).generation, 3);
  });

  test("syncs that wait are told when a rebalance begins", () => {
    const one = g.joined(g.join("")).memberId;
    const two = g.join("");
    g.join(one);
    const sync = g.sync(g.joined(two).memberId);
    g.join("");
    assert.equal(g.errorOf(sync), ErrorCode.REBALANCE_IN_PROGRESS);
  });

  test("the last member's end makes the group empty, in a generation of its own", () => {
    const [one] = g.stable({});
    g.apply({ tag: "session-expired", memberId: one ?? "" });
    assert.equal(g.group.phase, "Empty");
    assert.equal(g.group.generation, 2);
    assert.equal(g.group.emptySinceMs, RULES.nowMs);
    assert.equal(g.group.protocolType, "consumer");
    assert(g.has("write"));
  });

  test("a member whose connection is gone may come back within its session", () => {
    const [one, two] = g.stable({}, {});
    const join = g.join(one ?? "");
    g.apply({ tag: "abandoned", memberId: one ?? "", ticket: join });
    assert(g.has("session"));
    const back = g.join(one ?? "");
    g.join(two ?? "");
    assert.equal(g.joined(back).errorCode, ErrorCode.NONE);
  });

  test("a session does not end while an answer is waited for", () => {
    const [one] = g.stable({}, {});
    g.join(one ?? "");
    g.apply({ tag: "session-expired", memberId: one ?? "" });
    assert(g.group.members.has(one ?? ""));
  });
});

describe("static members", () => {
  test("a restarted one takes over without a rebalance, and fences the one before", () => {
    const [leader, old] = g.stable({}, { instanceId: "i" });
    const { generation } = g.group;
    const answer = g.joined(g.join("", { instanceId: "i" }));
    assert.notEqual(answer.memberId, old);
    assert.deepEqual(
      [answer.errorCode, answer.generation, answer.leaderId, answer.skipAssignment],
      [ErrorCode.NONE, generation, leader, false],
    );
    assert(g.has("write"));
    assert.equal(utf8Decode(g.synced(g.sync(answer.memberId)).assignment), `of ${old}`);
    const fenced = g.sync(old ?? "", { instanceId: "i" });
    assert.equal(g.errorOf(fenced), ErrorCode.FENCED_INSTANCE_ID);
    assert.equal(g.heartbeat(old ?? ""), ErrorCode.UNKNOWN_MEMBER_ID);
    assert.equal(g.leave(old ?? "", "i"), ErrorCode.FENCED_INSTANCE_ID);
  });

  test("a restarted leader learns that there is nothing to assign, or that another leads", () => {
    const [old] = g.stable({ instanceId: "i" }, {});
    const skip = g.joined(g.join("", { instanceId: "i" }));
    assert.equal(skip.leaderId, skip.memberId);
    assert(skip.skipAssignment);
    assert.equal(skip.members.length, 2);
    const older = g.joined(g.join("", { instanceId: "i", canSkipAssignment: false }));
    assert.equal(older.leaderId, skip.memberId);
    assert.notEqual(older.leaderId, old);
    assert.deepEqual(older.members, []);
    assert.equal(g.group.leaderId, older.memberId);
  });

  test("the one before is told while it waits", () => {
    g.stable({ instanceId: "i" }, {});
    const old = [...g.group.members.keys()][0] ?? "";
    const waiting = g.join(old, { instanceId: "i" });
    g.join("", { instanceId: "i" });
    assert.equal(g.errorOf(waiting), ErrorCode.FENCED_INSTANCE_ID);
  });

  test("an administrator removes one by its instance id", () => {
    g.stable({ instanceId: "i" }, {});
    assert.equal(g.leave("", "j"), ErrorCode.UNKNOWN_MEMBER_ID);
    assert.equal(g.leave("", "i"), ErrorCode.NONE);
    assert.equal(g.group.members.size, 1);
    assert.equal(g.group.phase, "PreparingRebalance");
    assert(g.has("write"));
  });
});

describe("checks", () => {
  test("sync and heartbeat say what does not fit", () => {
    const [one] = g.stable({});
    const { generation } = g.group;
    assert.equal(g.heartbeat(one ?? ""), ErrorCode.NONE);
    assert.equal(g.heartbeat("nobody"), ErrorCode.UNKNOWN_MEMBER_ID);
    assert.equal(g.heartbeat(one ?? "", generation - 1), ErrorCode.ILLEGAL_GENERATION);
    const codeOf = (...args: Parameters<GroupBuilder["sync"]>) => g.errorOf(g.sync(...args));
    assert.equal(codeOf(one ?? ""), ErrorCode.NONE);
    assert.equal(codeOf("nobody"), ErrorCode.UNKNOWN_MEMBER_ID);
    assert.equal(codeOf(one ?? "", { generation: 9 }), ErrorCode.ILLEGAL_GENERATION);
    assert.equal(codeOf(one ?? "", { protocolType: "x" }), ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    assert.equal(codeOf(one ?? "", { protocolName: "x" }), ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    g.join("");
    assert.equal(codeOf(one ?? ""), ErrorCode.REBALANCE_IN_PROGRESS);
  });

  test("commits are taken from members of this generation, or outside of groups", () => {
    const by = (memberId: string, generation: number, instanceId: string | null = null) =>
      commitError(g.group, { memberId, generation, instanceId });
    assert.equal(by("", -1), undefined);
    const join = g.join("", { instanceId: "i" });
    const { memberId } = g.joined(join);
    assert.equal(by(memberId, 1), ErrorCode.REBALANCE_IN_PROGRESS);
    g.sync(memberId);
    assert.equal(by(memberId, 1), undefined);
    assert.equal(by(memberId, 1, "i"), undefined);
    assert.equal(by(memberId, 0), ErrorCode.ILLEGAL_GENERATION);
    assert.equal(by("", -1), ErrorCode.UNKNOWN_MEMBER_ID);
    assert.equal(by("nobody", 1), ErrorCode.UNKNOWN_MEMBER_ID);
    assert.equal(by("nobody", 1, "i"), ErrorCode.FENCED_INSTANCE_ID);
    g.join("");
    assert.equal(g.group.phase, "PreparingRebalance");
    assert.equal(by(memberId, 1), undefined, "while it rebalances, what was consumed counts");
  });

  test("only an empty group is deleted", () => {
    const remove = () => {
      const ticket = g.ticket();
      g.apply({ tag: "delete", ticket });
      return g.errorOf(ticket);
    };
    const [one] = g.stable({});
    assert.equal(remove(), ErrorCode.NON_EMPTY_GROUP);
    g.leave(one ?? "");
    assert.equal(remove(), ErrorCode.NONE);
    assert(g.has("forget"));
    assert.equal(g.group.phase, "Dead");
    assert.equal(remove(), ErrorCode.GROUP_ID_NOT_FOUND);
    assert.equal(g.joined(g.join("")).errorCode, ErrorCode.COORDINATOR_NOT_AVAILABLE);
    assert.equal(g.heartbeat(one ?? ""), ErrorCode.COORDINATOR_NOT_AVAILABLE);
  });
});
