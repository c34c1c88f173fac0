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
];
