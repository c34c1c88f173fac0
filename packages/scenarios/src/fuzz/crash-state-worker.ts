// A process that runs the seeds it is sent, one at a time.
import { walSeed } from "../../../testing/dist/wal/wal-seed.js";
import type { SeedMessage } from "./crash-state-run.ts";

// Expected errors come by the thousand, and nobody looks at where they were made; a failing seed is run again with stacks.
Error.stackTraceLimit = 0;

/** Crashes are tried around nearly every operation: what a seed costs besides is spent once. */
const THOROUGHNESS = 8;

async function play(seed: number): Promise<SeedMessage> {
  try {
    const result = await walSeed(seed, THOROUGHNESS);
    const states = Float64Array.from(result.crashStates);
    return {
      tag: "done",
      seed,
      states: Buffer.from(states.buffer).toString("base64"),
      checkedOperations: result.checked,
      faults: result.faults,
      sometimes: result.sometimes.counts,
      invariants: result.invariants.counts,
    };
  } catch (error) {
    return { tag: "failed", seed, text: error instanceof Error ? error.message : String(error) };
  }
}

process.on("message", (seed) => {
  play(seed as number).then(
    (message) => process.send?.(message),
    (error: unknown) => {
      throw error;
    },
  );
});
// Nobody is there to be told any more.
process.on("disconnect", () => process.exit(0));
