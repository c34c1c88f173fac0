import {
  chosenServer,
  type S3Server,
  type S3ServerName,
  startServer,
} from "../../../../scripts/s3-server.mjs";
import { BUCKET_STORES, type BucketStore } from "./combinations.ts";
import type { Bucket } from "./stage.ts";

const NAME = "kill-matrix";

/** The server that each store's driver is best at home with. */
const AT_HOME: Readonly<Record<BucketStore, S3ServerName>> = { s3: "versitygw", minio: "minio" };

/** Buckets, by the store that needs one, and what ends their servers. */
export interface OpenBuckets {
  readonly of: ReadonlyMap<BucketStore, Bucket>;
  end(): Promise<void>;
}

/** Whether there is an S3 server without building one. */
export function hasBucket(): boolean {
  return chosenServer() !== undefined;
}

/**
 * A bucket for every store that needs one.
 *
 * @param servers `chosen`: all are of the server that tests run on. `each`: every store's is of the server that its driver is at home
 * with, built where it has to be, or of the first store's where it cannot be had; an endpoint that the environment names is for all.
 */
export async function openBuckets(servers: "chosen" | "each"): Promise<OpenBuckets> {
  const chosen = chosenServer();
  if (chosen === "endpoint") {
    const { KARST_TEST_S3_ENDPOINT: endpoint = "", KARST_TEST_S3_BUCKET: name = "karst" } =
      process.env;
    const bucket = { server: "KARST_TEST_S3_ENDPOINT", endpoint, name, environment: {} };
    return {
      of: new Map(BUCKET_STORES.map((store) => [store, bucket])),
      end: () => Promise.resolve(),
    };
  }
  const running = new Map<S3ServerName, S3Server>();
  const end = async (): Promise<void> => {
    await Promise.all([...running.values()].map((server) => server.stop()));
  };
  const of = new Map<BucketStore, Bucket>();
  try {
    for (const store of BUCKET_STORES) {
      const name = servers === "each" ? AT_HOME[store] : (chosen ?? AT_HOME.s3);
      const server = running.get(name) ?? (await started(name, [...running.values()][0]));
      running.set(server.name, server);
      of.set(store, bucketOf(server));
    }
    for (const server of running.values()) await server.createBucket(NAME);
  } catch (error) {
    await end();
    throw error;
  }
  return { of, end };
}

/** @param instead where there is none of that name. */
async function started(name: S3ServerName, instead: S3Server | undefined): Promise<S3Server> {
  try {
    return await startServer(name);
  } catch (error) {
    if (instead === undefined) throw error;
    process.stderr.write(`${String(error)}\n${instead.name} takes the place of ${name}\n`);
    return instead;
  }
}

function bucketOf(server: S3Server): Bucket {
  return {
    server: server.source,
    endpoint: server.endpoint,
    name: NAME,
    environment: {
      AWS_ACCESS_KEY_ID: server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
      AWS_REGION: server.region,
    },
  };
}
