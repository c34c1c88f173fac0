import type { Mutant } from "./mutant.ts";

const worlds: readonly string[] = ["groups"];

export const groupMutants: readonly Mutant[] = [
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
    id: "cg-expiry-counts-from-the-commit",
    invariant: "CG5",
    file: "packages/broker/src/groups/expiry.ts",
    from: ": Math.max(committed.committedMs, group.emptySinceMs);",
    to: ": committed.committedMs;",
    harm: "A quiet group that is stopped for a moment begins anew: its offsets expire as soon as nobody is there.",
    worlds,
  },
  {
    id: "cg-failed-commit-acked",
    invariant: "CG1",
    file: "packages/broker/src/handlers/08-offset-commit.ts",
    from: "return responseOf(this.#request, this.#errors, ErrorCode.NOT_COORDINATOR);",
    to: "return responseOf(this.#request, this.#errors, this.#errorCode);",
    harm: "A commit whose sync failed is acknowledged, and lost.",
    worlds,
  },
  {
    id: "cg-offset-deletion-not-waited-for",
    invariant: "CG1",
    file: "packages/broker/src/groups/live-groups.ts",
    from: "await durable;",
    to: "void durable;",
    harm: "An offset that was deleted, and said to be, is back after a power cut.",
    worlds,
  },
  {
    id: "cg-absent-group-not-waited-for",
    invariant: "CG1",
    file: "packages/broker/src/groups/live-groups.ts",
    from: "return entry === undefined ? this.#durable : entry.durable;",
    to: "return entry?.durable;",
    harm: "A consumer is told that nothing is committed, begins anew, and after a power cut the group is there again.",
    worlds,
  },
];
