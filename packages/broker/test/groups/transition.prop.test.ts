import assert from "node:assert/strict";
import { ErrorCode } from "@karst/kafka-protocol";
import { utf8Encode } from "@karst/runtime";
import fc from "fast-check";
import { test } from "vitest";
import { emptyGroup, type Group, type Ticket } from "../../src/groups/group.ts";
import type { GroupEffect, GroupEvent } from "../../src/groups/group-event.ts";
import { transition } from "../../src/groups/transition.ts";
import { RULES } from "./builder.ts";

const numRuns = Number(process.env["KARST_RUNS"] ?? 200);

/** Small numbers choose among what there is when the event is made. */
interface Draw {
  readonly what: string;
  readonly who: number;
  readonly how: number;
  readonly protocols: readonly string[];
}

const draw: fc.Arbitrary<Draw> = fc.record({
  what: fc.constantFrom(
    "join",
    "join",
    "rejoin",
    "rejoin",
    "rejoin",
    "static",
    "sync",
    "sync",
    "sync",
    "heartbeat",
    "leave",
    "abandon",
    "expire",
    "timeout",
    "delete",
    "evict",
  ),
  who: fc.nat(20),
  how: fc.nat(5),
  protocols: fc.constantFrom(["a", "b"], ["b", "a"], ["b"], ["a", "b", "c"]),
});

/** What the outside has seen of a group. */
class Observer {
  readonly waiting = new Set<Ticket>();
  readonly ids = new Set<string>();
  /** Of each generation: what every member was told. */
  readonly assignments = new Map<number, Map<string, string>>();
  readonly leaders = new Map<number, string>();
  readonly tickets = new Map<Ticket, string>();
  timer = false;
  readonly sessions = new Set<string>();

  see(effects: readonly GroupEffect[], before: Group, group: Group): void {
    for (const effect of effects) {
      if (effect.tag === "timer") this.timer = effect.delayMs !== undefined;
      if (effect.tag === "session") {
        if (effect.timeoutMs === undefined) this.sessions.delete(effect.memberId);
        else this.sessions.add(effect.memberId);
      }
      if (!("ticket" in effect)) continue;
      assert(this.waiting.delete(effect.ticket), "answered once, and only what was asked");
      if (effect.tag === "joined" && effect.answer.errorCode === ErrorCode.NONE)
        this.#joined(effect.answer, group);
      if (effect.tag === "synced" && effect.answer.errorCode === ErrorCode.NONE)
        this.#synced(effect.ticket, effect.answer.assignment, group);
    }
    assert(group.generation >= before.generation, "generations increase");
    if (group.generation > before.generation)
      assert(
        effects.some(({ tag }) => tag === "write"),
        "a generation is written",
      );
    if (before.phase !== "Stable" && group.phase === "Stable")
      assert(
        effects.some(({ tag }) => tag === "write"),
        "an assignment is written",
      );
  }

  #joined(
    answer: { generation: number; leaderId: string; members: readonly unknown[] },
    group: Group,
  ) {
    assert.equal(answer.generation, group.generation);
    const leader = this.leaders.get(answer.generation);
    if (leader !== undefined && group.members.has(leader)) assert.equal(answer.leaderId, leader);
    this.leaders.set(answer.generation, answer.leaderId);
  }

  #synced(ticket: Ticket, assignment: Uint8Array, group: Group) {
    const memberId = this.tickets.get(ticket) ?? "";
    const told = this.assignments.get(group.generation) ?? new Map<string, string>();
    this.assignments.set(group.generation, told);
    const text = Buffer.from(assignment).toString();
    assert.equal(told.get(memberId) ?? text, text, "one assignment per member and generation");
    told.set(memberId, text);
    const owners = [...told.values()].filter((one) => one !== "" && one === text);
    const same = [...told].filter(([, one]) => one === text && one !== "").map(([id]) => id);
    // A static member's successor has what its predecessor had.
    const living = same.filter((id) => group.members.has(id));
    assert(owners.length === 0 || living.length <= 1, "no assignment has two owners");
  }

  check(group: Group): void {
    const members = [...group.members.values()];
    const { phase } = group;
    assert.equal(members.length === 0, phase === "Empty" || phase === "Dead");
    const parked = members.flatMap(({ waiting }) => (waiting === undefined ? [] : [waiting]));
    assert.deepEqual(
      parked.map(({ ticket }) => ticket).toSorted((a, b) => a - b),
      [...this.waiting].toSorted((a, b) => a - b),
      "whoever waits is known, and everybody else was answered",
    );
    for (const { tag } of parked)
      assert.equal(phase, tag === "join" ? "PreparingRebalance" : "CompletingRebalance");
    if (phase === "Stable" || phase === "CompletingRebalance") {
      assert(group.members.has(group.leaderId ?? ""), "the leader is a member");
      for (const { protocols } of members)
        assert(protocols.some(({ name }) => name === group.protocolName));
    }
    const instances = members.flatMap(({ instanceId }) => instanceId ?? []);
    assert.equal(new Set(instances).size, instances.length, "an instance is one member");
    // Nobody stays for ever without a word: it waits, or its session runs.
    for (const { memberId, waiting } of members)
      assert.equal(this.sessions.has(memberId), waiting === undefined, `session of ${memberId}`);
    for (const memberId of group.pendingIds) assert(this.sessions.has(memberId));
    assert.equal(this.sessions.size, members.length - parked.length + group.pendingIds.size);
    if (phase === "PreparingRebalance" || phase === "CompletingRebalance")
      assert(this.timer, "a rebalance ends some time");
    if (phase === "Empty") assert(!this.timer);
    assert(members.length <= RULES.membersMax && group.pendingIds.size <= RULES.membersMax);
  }
}

function eventOf(d: Draw, group: Group, ticket: Ticket, observer: Observer): GroupEvent {
  const known = [...group.members.keys(), ...group.pendingIds, ...observer.ids];
  const memberId = known[d.who % Math.max(1, known.length)] ?? "nobody";
  const instanceId = group.members.get(memberId)?.instanceId ?? null;
  const generation = d.how === 5 ? group.generation - 1 : group.generation;
  const joining = {
    tag: "join" as const,
    ticket,
    freshMemberId: `member-${ticket}`,
    clientId: "c",
    clientHost: "h",
    sessionTimeoutMs: 10,
    rebalanceTimeoutMs: 20 + d.how,
    protocolType: d.who === 20 ? "other" : "consumer",
    protocols: d.protocols.map((name) => ({ name, metadata: utf8Encode(`${d.how % 2}`) })),
    idRequired: d.how % 2 === 0,
    canSkipAssignment: d.how % 3 === 0,
  };
  switch (d.what) {
    case "join":
      return { ...joining, memberId: "", instanceId: null };
    case "static":
      return { ...joining, memberId: "", instanceId: `instance-${d.who % 3}` };
    case "rejoin":
      return { ...joining, memberId, instanceId };
    case "sync": {
      const assignments = [...group.members.keys()].map(
        (id) => [id, utf8Encode(`${ticket}:${id}`)] as const,
      );
      return {
        tag: "sync",
        ticket,
        memberId: d.how < 2 ? (group.leaderId ?? "") : memberId,
        instanceId: d.how < 2 ? null : instanceId,
        generation,
        protocolType: null,
        protocolName: null,
        assignments: new Map(assignments.slice(d.how === 3 ? 1 : 0)),
      };
    }
    case "heartbeat":
      return { tag: "heartbeat", ticket, memberId, instanceId, generation };
    case "leave":
      return { tag: "leave", ticket, memberId, instanceId };
    case "evict":
      return { tag: "leave", ticket, memberId: "", instanceId: `instance-${d.who % 3}` };
    case "abandon": {
      const waiting = group.members.get(memberId)?.waiting;
      return { tag: "abandoned", memberId, ticket: waiting?.ticket ?? 0 };
    }
    case "expire":
      return { tag: "session-expired", memberId };
    case "timeout":
      return { tag: "rebalance-timeout" };
    default:
      return { tag: "delete", ticket };
  }
}

test.each([0, 50])(
  "any events keep the invariants; initial delay %i ms",
  (initialRebalanceDelayMs) => {
    const met = new Set<string>();
    fc.assert(
      fc.property(fc.array(draw, { maxLength: 120, size: "max" }), (draws) => {
        let group = emptyGroup("g", 0);
        let observer = new Observer();
        const rules = { ...RULES, initialRebalanceDelayMs };
        for (const [at, d] of draws.entries()) {
          const event = eventOf(d, group, at + 1, observer);
          if (event.tag === "rebalance-timeout" && !observer.timer) continue;
          if (event.tag === "session-expired" && !observer.sessions.has(event.memberId)) continue;
          if ("ticket" in event && event.tag !== "abandoned") observer.waiting.add(event.ticket);
          if (event.tag === "sync") observer.tickets.set(event.ticket, event.memberId);
          if (event.tag === "session-expired") observer.sessions.delete(event.memberId);
          if (event.tag === "rebalance-timeout") observer.timer = false;
          const before = group;
          const frozen = JSON.stringify([...before.members.values()]);
          const next = transition(before, event, rules);
          assert.equal(JSON.stringify([...before.members.values()]), frozen, "a pure function");
          group = next.group;
          for (const id of [...group.members.keys(), ...group.pendingIds]) {
            const isNew = !before.members.has(id) && !before.pendingIds.has(id);
            assert(!isNew || !observer.ids.has(id), "member ids are not reused");
            observer.ids.add(id);
          }
          observer.see(next.effects, before, group);
          observer.check(group);
          met.add(`${before.phase} ${event.tag} ${group.phase}`);
          if (group.phase !== "Dead") continue;
          group = emptyGroup("g", 0);
          observer = new Observer();
        }
      }),
      { numRuns },
    );
    for (const path of [
      "Stable join PreparingRebalance",
      "Stable join Stable",
      "CompletingRebalance sync Stable",
      "PreparingRebalance rebalance-timeout CompletingRebalance",
      "Empty delete Dead",
    ])
      assert(met.has(path), `no run went ${path}`);
  },
);
