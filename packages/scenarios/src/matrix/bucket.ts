import { chosenServer, startServer } from "../../../../scripts/s3-server.mjs";
import type { Bucket } from "./stage.ts";

/** A bucket, and what ends its server. */
export interface OpenBucket extends Bucket {
  end(): Promise<void>;
}

/** Whether there is an S3 server without building one. */
export function hasBucket(): boolean {
  return chosenServer() !== undefined;
}

/** Of the S3 server that the environment names, else of one of this machine, built where it has to be and started. */
export async function openBucket(): Promise<OpenBucket> {
  const chosen = chosenServer() ?? "versitygw";
  if (chosen === "endpoint") {
    return {
      endpoint: process.env["KARST_TEST_S3_ENDPOINT"] ?? "",
      name: process.env["KARST_TEST_S3_BUCKET"] ?? "karst",
      environment: {},
      end: () => Promise.resolve(),
    };
  }
  const server = await startServer(chosen);
  const name = "kill-matrix";
  await server.createBucket(name);
  return {
    endpoint: server.endpoint,
    name,
    environment: {
      AWS_ACCESS_KEY_ID: server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
      AWS_REGION: server.region,
    },
    end: () => server.stop(),
  };
}
