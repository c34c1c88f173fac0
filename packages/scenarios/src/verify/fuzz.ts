/*
 * Gives every decoder of stored and received bytes damaged inputs:
 *
 *   npm run verify -- fuzz [--executions 10000000] [--seed N] [--dry]
 */
import { fuzz } from "../fuzz/fuzzer.ts";
import { publish, runArguments } from "../real/run-arguments.ts";

const PROGRESS_EXECUTIONS = 1_000_000;

const { count: executions, seed, dry } = runArguments("executions", 10_000_000);
let said = 0;
const report = await fuzz({
  seed,
  executions,
  onProgress: (done) => {
    if (done - said < PROGRESS_EXECUTIONS) return;
    said = done;
    process.stderr.write(`${done} of ${executions} executions\n`);
  },
});
publish(
  {
    part: "fuzz",
    seed,
    seconds: report.seconds,
    counts: { fuzzExecutions: report.executions },
    details: { accepted: report.accepted, byTarget: report.byTarget },
  },
  dry,
);
