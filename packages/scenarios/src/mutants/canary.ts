import type { Mutant } from "./mutant.ts";

/** Broken so that everybody must see it: whoever does not find it at once looks at nothing. */
export const CANARY: Mutant = {
  id: "canary-never-syncs",
  invariant: "W1",
  file: "packages/wal/src/device/steps.ts",
  from: 'file.datasync(); yield "fence"; this.#checkFence(epoch);',
  to: 'yield "fence"; this.#checkFence(epoch);',
  harm: "A power cut takes everything that was acknowledged.",
};

/** For runs with real kills, which no sync protects from: only what is not written yet is lost. */
export const ACK_BEFORE_WRITE: Mutant = {
  id: "ack-before-sync",
  invariant: "W1",
  file: "packages/core/src/stream/durability.ts",
  from: "log.lastAppend = group.promise;",
  to: "log.lastAppend = group.promise; this.advance(end);",
  harm: "A killed process takes what it acknowledged last.",
};
