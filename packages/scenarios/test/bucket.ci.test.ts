import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { chosenServer, type S3Server, startServer } from "../../../scripts/s3-server.mjs";
import { bucketLife } from "../dist/index.js";

const chosen = chosenServer();
const COUNT = 600;

describe.skipIf(chosen === undefined)(`an engine over ${chosen ?? "no S3 server"}`, () => {
  let server: S3Server | undefined;
  let bucket = process.env["KARST_TEST_S3_BUCKET"] ?? "karst";
  let endpoint = process.env["KARST_TEST_S3_ENDPOINT"] ?? "";
  const folder = mkdtempSync(join(tmpdir(), "karst-bucket-"));

  beforeAll(async () => {
    if (chosen === undefined || chosen === "endpoint") return;
    server = await startServer(chosen);
    bucket = "engine-test";
    ({ endpoint } = server);
    await server.createBucket(bucket);
  }, 600_000);

  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const scheme of ["s3", "minio"]) {
    test(`${scheme}: what was acknowledged is there after kills, restarts and a clean close`, async () => {
      const id = randomUUID();
      const root = `${scheme}://${bucket}/test/${id}?endpoint=${endpoint}`;
      const wal = `file:${join(folder, id)}`;
      const environment =
        server === undefined
          ? {}
          : {
              AWS_ACCESS_KEY_ID: server.accessKeyId,
              AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
              AWS_REGION: server.region,
            };
      const at = new Map<number, number>();
      for (const [life, end] of (["kill", "kill", "close", "close"] as const).entries()) {
        const from = life * COUNT;
        const options = { root, wal, environment, from, count: COUNT, end };
        const { found, acknowledged } = await bucketLife(options);
        assert.equal(found.length, from);
        for (const [number, offset] of at) assert.equal(found[offset], number);
        for (const [number, offset] of acknowledged) at.set(number, offset);
      }
      assert.equal(new Set(at.values()).size, 4 * COUNT);
    });
  }
});
