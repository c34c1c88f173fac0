/*
 * Crashes the WAL in simulated worlds until so many different states of a disk have been opened again and checked:
 *
 *   npm run verify -- crash-states [--states 1000000] [--seed N] [--dry]
 */
import { CrashStateRun } from "../fuzz/crash-state-run.ts";
import { publish, runArguments } from "../real/run-arguments.ts";

const PROGRESS_MS = 10_000;

const { count: states, seed, dry } = runArguments("states", 1_000_000);
const run = new CrashStateRun({ seed, states });
const progress = setInterval(() => process.stderr.write(`${run.toString()}\n`), PROGRESS_MS);
try {
  await run.finish();
} finally {
  clearInterval(progress);
}
publish(
  {
    part: "crash-states",
    seed,
    seconds: run.seconds,
    counts: { crashStates: run.states, seeds: run.seeds, checkedOperations: run.checkedOperations },
    details: {
      faults: run.faults,
      missing: run.missing,
      invariants: run.invariants,
      sometimes: run.sometimes,
    },
  },
  dry,
);
if (run.missing.length > 0) throw new Error(`never happened: ${run.missing.join(", ")}`);
