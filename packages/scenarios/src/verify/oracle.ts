/*
 * Gives Apache Kafka and Karst the same requests, and compares what they answer:
 *
 *   npm run verify -- oracle [--seed N] [--api KEY …] [--dry]
 *
 * A difference that is not in src/oracle/accepted.ts fails the run. Needs Java 17 and, the first time, Maven.
 */
import { parseArgs } from "node:util";
import { runOracle } from "../oracle/oracle-run.ts";
import { writeCompatibility } from "../oracle/page.ts";
import { writeResult } from "../proof/results.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    api: { type: "string", multiple: true },
    dry: { type: "boolean", default: false },
  },
});
const seed = Number(values.seed);
if (!Number.isSafeInteger(seed)) throw new TypeError(`--seed takes a whole number`);
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
const report = await runOracle({
  seed,
  signal: stop.signal,
  ...(values.api === undefined ? {} : { apiKeys: values.api.map(Number) }),
  onProgress: (sentence) => process.stderr.write(`${sentence}\n`),
});
console.log(JSON.stringify({ seed, ...report }, undefined, 2));
// A part of the APIs says nothing about the whole.
if (!values.dry && values.api === undefined) {
  writeResult("oracle", { seed, ...report });
  writeCompatibility(report);
}
if (report.differing > 0 || report.problems.length > 0) process.exitCode = 1;
