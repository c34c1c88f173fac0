import { type ObjectStore, prefixedObjectStore } from "@karst/objectstore";
import { type BucketOptions, s3ObjectStore } from "@karst/objectstore/s3";
import { minioObjectStore } from "@karst/objectstore/minio";
import { randomUUID } from "node:crypto";
import { type S3ServerName, startServer } from "../../../../../scripts/s3-server.mjs";

export const DRIVERS: Readonly<Record<"s3" | "minio", (options: BucketOptions) => ObjectStore>> = {
  s3: s3ObjectStore,
  minio: minioObjectStore,
};

/** A server to test with. */
export interface RealServer {
  /** Options of a new, empty bucket, or of a place in one that is shared. */
  place(): Promise<Place>;
  stop(): Promise<void>;
}

export interface Place {
  readonly options: BucketOptions;
  /** Where the bucket is shared. */
  readonly prefix: string | undefined;
}

const environment = process.env;

export async function realServer(chosen: "endpoint" | S3ServerName): Promise<RealServer> {
  if (chosen === "endpoint")
    return { place: () => Promise.resolve(shared()), stop: async () => {} };
  const server = await startServer(chosen);
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  return {
    place: async () => {
      const bucket = `karst-${randomUUID()}`;
      await server.createBucket(bucket);
      const credentials = { accessKeyId, secretAccessKey };
      return { options: { bucket, endpoint, region, credentials }, prefix: undefined };
    },
    stop: () => server.stop(),
  };
}

function shared(): Place {
  const endpoint = environment["KARST_TEST_S3_ENDPOINT"] ?? "";
  const bucket = environment["KARST_TEST_S3_BUCKET"] ?? "karst";
  return { options: { bucket, endpoint }, prefix: `test/${randomUUID()}` };
}

export function openPlace(driver: keyof typeof DRIVERS, { options, prefix }: Place): ObjectStore {
  const store = DRIVERS[driver](options);
  return prefix === undefined ? store : prefixedObjectStore(store, prefix);
}
