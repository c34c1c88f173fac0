import { chosenServer, startServer } from "../../../../scripts/s3-server.mjs";
import type { Bucket } from "./stage.ts";

/** Whether `withBucket` has a server, or can have one, at once. */
export function hasBucket(): boolean {
  return chosenServer() !== undefined;
}

/** The S3 server that the environment names, else one of this machine, obtained and started for it, while `use` runs. */
export async function withBucket<T>(use: (bucket: Bucket) => Promise<T>): Promise<T> {
  const chosen = chosenServer() ?? "versitygw";
  if (chosen === "endpoint") {
    const endpoint = process.env["KARST_TEST_S3_ENDPOINT"] ?? "";
    const name = process.env["KARST_TEST_S3_BUCKET"] ?? "karst";
    return use({ endpoint, name, environment: {} });
  }
  const server = await startServer(chosen);
  try {
    const name = "kill-matrix";
    await server.createBucket(name);
    const { endpoint, region, accessKeyId, secretAccessKey } = server;
    return await use({
      endpoint,
      name,
      environment: {
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_REGION: region,
      },
    });
  } finally {
    await server.stop();
  }
}
