import type { Mutant } from "./mutant.ts";

const worlds: readonly string[] = ["groups"];

export const groupMutants: readonly Mutant[] = [
  {
    id: "cg-commit-acked-at-once",
    invariant: "CG1",
    file: "packages/broker/src/groups/live-groups.ts",
    from: 'return { tag: "taken", durable };',
    to: 'return { tag: "taken", durable: Promise.resolve() };',
    harm: "A power cut takes offsets that were acknowledged: their records are processed again.",
    worlds,
  },
  {
    id: "cg-fetch-shows-what-may-be-lost",
    invariant: "CG1",
    file: "packages/broker/src/handlers/09-offset-fetch.ts",
    from: "await access.groups.durableOf(groupId);",
    to: "void access.groups.durableOf(groupId);",
    harm: "A member begins at an offset that a power cut takes back: the next one begins before it.",
    worlds,
  },
  {
    id: "cg-generation-before-it-is-on-record",
    invariant: "CG4",
    file: "packages/broker/src/groups/group-entry.ts",
    from: "this.#host.answer(effect, this.#durable);",
    to: "this.#host.answer(effect, undefined);",
    harm: "After a power cut a generation is used twice, and two members own a partition in it.",
    worlds,
  },
  {
    id: "cg-sessions-not-resumed",
    invariant: "CG6",
    file: "packages/broker/src/groups/group-entry.ts",
    from: "for (const { memberId, sessionTimeoutMs } of this.#group.members.values()) this.#sessions.start(memberId, sessionTimeoutMs);",
    to: "",
    harm: "Partitions of a member that died together with the broker are read by nobody, for ever.",
    worlds,
  },
  {
    id: "cg-removal-not-on-record",
    invariant: "CG4",
    file: "packages/broker/src/groups/rebalance.ts",
    from: 'else prepareRebalance(change); // That they are gone outlives us, as what they were told does.\n  change.emit({ tag: "write" });',
    to: "else prepareRebalance(change);",
    harm: "After a restart a member that has left is waited for, and owns partitions.",
    worlds,
  },
  {
    id: "cg-expiry-counts-from-the-commit",
    invariant: "CG5",
    file: "packages/broker/src/groups/expiry.ts",
    from: ": Math.max(committed.committedMs, group.emptySinceMs);",
    to: ": committed.committedMs;",
    harm: "A quiet group that is stopped for a moment begins anew: its offsets expire as soon as nobody is there.",
    worlds,
  },
];
