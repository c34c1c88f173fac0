import type { Mutant } from "./mutant.ts";

export const fencingMutants: readonly Mutant[] = [
  {
    id: "f-opening-not-conditional",
    invariant: "F2",
    file: "packages/core/src/recovery/commit-open.ts",
    from: "nodeRow.unchanged(nodeId, own), ...abandoned",
    to: "...abandoned",
    harm: "Two processes that start at once both become the node, and end each other's work.",
  },
  {
    id: "f-contest-taken-for-damage",
    invariant: "F7",
    file: "packages/core/src/open-engine.ts",
    from: 'if (isKarstError(error, "corrupt")) await refuseContest(claim, catalogue, known, error);',
    to: "",
    harm: "A process that starts while another one stops reports that the log is damaged.",
    worlds: ["cluster"],
  },
  {
    id: "f-conflict-taken-for-own",
    invariant: "F2",
    file: "packages/core/src/recovery/commit-open.ts",
    from: "if (row !== undefined && ids.has(row.value.lastTx)) return row.revision;",
    to: "if (row !== undefined) return row.revision;",
    harm: "Of two processes that start at once the one that lost goes on, with the record of the other.",
    worlds: ["cluster"],
  },
  {
    id: "f-fence-looked-at-before-the-sync",
    invariant: "F5",
    file: "packages/wal/src/device/steps.ts",
    from: 'file.datasync(); yield "fence"; this.#checkFence(epoch); }',
    to: "this.#checkFence(epoch); file.datasync(); }",
    harm: "A process that was succeeded during a slow sync acknowledges what its successor has not read.",
    worlds: ["wal", "log"],
  },
  {
    id: "f-owner-node-not-required",
    invariant: "F1",
    file: "packages/core/src/stream/open-stream.ts",
    from: "const node = draft.require(nodeRow, owner.nodeId);",
    to: "const node = draft.read(nodeRow, owner.nodeId);",
    harm: "A stream is taken from a closed node in the moment in which that node opens again: both append to it.",
    worlds: ["cluster"],
  },
];
