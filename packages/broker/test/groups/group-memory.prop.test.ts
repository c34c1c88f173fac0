import assert from "node:assert/strict";
import { MemoryBudget, MemoryShare, runtimeError } from "@karst/runtime";
import { simulatedRuntime } from "@karst/runtime/testing";
import fc from "fast-check";
import { test } from "vitest";
import { emptyGroup } from "../../src/groups/group.ts";
import { bytesOfGroup, bytesOfOffset, OFFSETS_TOPIC_BYTES } from "../../src/groups/group-bytes.ts";
import { GroupEntry } from "../../src/groups/group-entry.ts";
import type { GroupEvent } from "../../src/groups/group-event.ts";
import { GroupMemory } from "../../src/groups/group-memory.ts";
import type { PartitionOffset } from "../../src/groups/group-offsets.ts";
import { RULES } from "./builder.ts";

const numRuns = Number(process.env["KARST_RUNS"] ?? 100);
const BUDGET_BYTES = 40_000;

interface Step {
  readonly what: "join" | "pending" | "rejoin" | "sync" | "leave" | "timeout" | "commit" | "forget";
  readonly who: number;
  readonly bytes: number;
  /** Whether the log takes a write. */
  readonly written: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom(
    ...(["join", "pending", "rejoin", "sync", "leave", "timeout", "commit", "forget"] as const),
  ),
  who: fc.nat(12),
  bytes: fc.integer({ min: 0, max: 4_000 }),
  written: fc.oneof(
    { weight: 9, arbitrary: fc.constant(true) },
    { weight: 1, arbitrary: fc.constant(false) },
  ),
});

/** One group over a budget of its own. */
class Group {
  readonly budget = new MemoryBudget(BUDGET_BYTES);
  readonly entry: GroupEntry;
  refusals = 0;
  written = true;
  #ticket = 0;

  constructor() {
    const memory = new GroupMemory(new MemoryShare(this.budget, "groups"));
    this.entry = new GroupEntry(emptyGroup("g", 0), {
      clock: simulatedRuntime({ seed: 1 }).clock,
      memory,
      rules: () => RULES,
      write: () => {
        if (this.written) return Promise.resolve();
        throw runtimeError("MEMORY_BUDGET_EXCEEDED", "the log is full");
      },
      answer: () => undefined,
      refused: () => {
        this.refusals += 1;
      },
      changed: () => undefined,
    });
  }

  eventOf({ what, who, bytes }: Step): GroupEvent | undefined {
    const ticket = (this.#ticket += 1);
    const { members, pendingIds, leaderId = "", generation } = this.entry.group;
    const ids = [...members.keys(), ...pendingIds];
    const memberId = ids[who % Math.max(1, ids.length)] ?? "nobody";
    switch (what) {
      case "join":
      case "pending":
      case "rejoin":
        return {
          tag: "join",
          ticket,
          memberId: what === "rejoin" ? memberId : "",
          freshMemberId: `member-${ticket}`,
          instanceId: null,
          clientId: "c".repeat(who),
          clientHost: "h",
          sessionTimeoutMs: 10_000,
          rebalanceTimeoutMs: 10_000,
          protocolType: "consumer",
          protocols: [{ name: "range", metadata: new Uint8Array(bytes) }],
          idRequired: what === "pending",
          canSkipAssignment: true,
        };
      case "sync": {
        const assignments = new Map(ids.map((id) => [id, new Uint8Array(bytes)] as const));
        const by = { memberId: who % 2 === 0 ? leaderId : memberId, instanceId: null, generation };
        return { tag: "sync", ticket, protocolType: null, protocolName: null, assignments, ...by };
      }
      case "leave":
        return { tag: "leave", ticket, memberId, instanceId: null };
      case "timeout":
        return ["PreparingRebalance", "CompletingRebalance"].includes(this.entry.group.phase)
          ? { tag: "rebalance-timeout" }
          : undefined;
      case "commit":
      case "forget":
        return undefined;
    }
  }

  apply(step: Step): void {
    this.written = step.written;
    const event = this.eventOf(step);
    if (event !== undefined) this.entry.dispatch(event);
    if (step.what !== "commit" && step.what !== "forget") return;
    const offsets = [0, 1, 1].map((partition) => offsetOf(step, partition));
    try {
      const { entry } = this;
      const written = step.what === "commit" ? entry.commit(offsets) : entry.forget(offsets);
      written.catch(() => undefined);
    } catch {
      this.refusals += 1;
    }
  }

  /** What is reserved is what the group is. */
  check(): void {
    const topics = new Set<string>();
    let bytes = bytesOfGroup(this.entry.group);
    for (const { topicId, committed } of this.entry.offsets.entries()) {
      bytes += bytesOfOffset(committed);
      topics.add(topicId);
    }
    assert.equal(this.budget.reservedBytes, bytes + topics.size * OFFSETS_TOPIC_BYTES);
  }
}

function offsetOf({ who, bytes }: Step, partition: number): PartitionOffset {
  const metadata = "m".repeat(bytes % (100 * (partition + 1)));
  const committed = { offset: 1, leaderEpoch: 1, metadata, committedMs: 0 };
  return { topicId: `topic ${who % 4}`, partition, committed };
}

test("what a group takes is reserved before it grows, and nothing is when it is gone", () => {
  let refusals = 0;
  let grown = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => {
      const group = new Group();
      for (const one of steps) {
        group.apply(one);
        group.check();
        grown = Math.max(grown, group.budget.reservedBytes);
      }
      refusals += group.refusals;
      group.written = true;
      const { entry } = group;
      for (const memberId of [...entry.group.members.keys(), ...entry.group.pendingIds])
        entry.dispatch({ tag: "leave", ticket: 0, memberId, instanceId: null });
      group.check();
      entry.drop();
      assert.equal(group.budget.reservedBytes, 0);
    }),
    { numRuns },
  );
  assert(refusals > 0, "nobody was ever refused");
  assert(grown > BUDGET_BYTES / 2, "no group ever grew");
});
