/*
 * The object store conformance of both bucket drivers on every S3 server that can be built here, obtained and started for it:
 *
 *   npm run verify -- s3 [--rounds 3] [--seed N] [--dry]
 */
import { performance } from "node:perf_hooks";
import { objectStoreConformance } from "@karst/objectstore/conformance";
import { minioObjectStore } from "@karst/objectstore/minio";
import { s3ObjectStore } from "@karst/objectstore/s3";
import { S3_SERVER_NAMES, startServer } from "../../../../scripts/s3-server.mjs";
import { writeResult } from "../proof/results.ts";
import { runArguments } from "../real/run-arguments.ts";

const DRIVERS = { s3: s3ObjectStore, minio: minioObjectStore } as const;

interface Row {
  readonly server: string;
  readonly driver: string;
  readonly rounds: number;
  readonly passed: number;
  readonly failed: number;
  /** The first line of each failure's message. */
  readonly failures: readonly string[];
  readonly seconds: number;
}

const { count: rounds, dry } = runArguments("rounds", 3);
const rows: Row[] = [];
for (const name of S3_SERVER_NAMES) {
  const server = await startServer(name);
  try {
    for (const driver of ["s3", "minio"] as const) {
      const beganMs = performance.now();
      const tests: { readonly name: string; readonly run: () => Promise<void> }[] = [];
      let buckets = 0;
      objectStoreConformance({
        test: (title, run) => tests.push({ name: title, run }),
        create: async () => {
          buckets += 1;
          const bucket = `verify-${driver}-${buckets}`;
          await server.createBucket(bucket);
          const { endpoint, region, accessKeyId, secretAccessKey } = server;
          const credentials = { accessKeyId, secretAccessKey };
          return DRIVERS[driver]({ bucket, endpoint, region, credentials });
        },
      });
      const failures: string[] = [];
      for (let round = 0; round < rounds; round += 1) {
        for (const each of tests) {
          try {
            await each.run();
          } catch (error) {
            failures.push(`${each.name}: ${String(error).split("\n", 1)[0]}`);
          }
        }
      }
      rows.push({
        server: server.source,
        driver,
        rounds,
        passed: tests.length * rounds - failures.length,
        failed: failures.length,
        failures,
        seconds: Math.round((performance.now() - beganMs) / 1_000),
      });
    }
  } finally {
    await server.stop();
  }
}
console.log(JSON.stringify(rows, undefined, 2));
if (!dry) writeResult("s3", { rows });
if (rows.some(({ failed }) => failed > 0)) process.exitCode = 1;
