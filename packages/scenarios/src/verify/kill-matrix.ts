/*
 * The kill run over pairwise combinations of client, codec, store and idempotence, read back by a group with a member that is killed:
 *
 *   npm run verify -- kill-matrix [--rows 8000] [--seed N] [--only TEXT …] [--dry]
 *
 * Obtains versitygw for `s3:` and MinIO for `minio:`, and starts them, unless KARST_TEST_S3_ENDPOINT names a server for both; where MinIO
 * cannot be built, versitygw takes its place, which the result tells. Needs kcat.
 */
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { vegaRows } from "../dataset.ts";
import { openBuckets } from "../matrix/bucket.ts";
import { DIMENSIONS, killMatrix, MEANINGS, nameOf, notApplicable } from "../matrix/combinations.ts";
import { runMatrix } from "../matrix/matrix-run.ts";
import { writeResult } from "../proof/results.ts";

const KILLS = 3;

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "8000" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    only: { type: "string", multiple: true, default: [] },
    dry: { type: "boolean", default: false },
  },
});
const [rowsEach, seed] = [Number(values.rows), Number(values.seed)];
if (!Number.isSafeInteger(rowsEach) || !Number.isSafeInteger(seed))
  throw new TypeError("--rows and --seed take whole numbers");
const combinations = killMatrix().filter((each) =>
  values.only.every((text) => nameOf(each).includes(text)),
);
const beganMs = performance.now();
let done = 0;
const buckets = await openBuckets("each");
const rows = await runMatrix({
  combinations,
  seed,
  rows: vegaRows(),
  rowsEach,
  kills: KILLS,
  buckets: buckets.of,
  onResult: (row) => {
    done += 1;
    const how = row.failure ?? JSON.stringify(row);
    process.stderr.write(`${done}/${combinations.length} ${nameOf(row)}: ${how}\n`);
  },
});
await buckets.end();
const failed = rows.filter(({ failure }) => failure !== undefined).length;
const result = {
  seed,
  seconds: Math.round((performance.now() - beganMs) / 1_000),
  failed,
  dimensions: DIMENSIONS,
  meanings: MEANINGS,
  notApplicable: Object.fromEntries(notApplicable()),
  combinations: rows,
};
console.log(JSON.stringify(result, undefined, 2));
// A part of the combinations says nothing about the whole; nor does a failure belong into the book.
if (!values.dry && values.only.length === 0 && failed === 0) writeResult("kill-matrix", result);
if (failed > 0) process.exitCode = 1;
