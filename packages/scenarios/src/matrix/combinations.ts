import { compressionsAlgorithms } from "@platformatic/kafka";
import { type CombinationOf, pairsOf, pairwise } from "./pairwise.ts";

/** Of the kill matrix. */
export const DIMENSIONS = {
  client: ["kcat", "kafkajs", "platformatic", "embedded"],
  codec: ["none", "gzip", "snappy", "lz4", "zstd"],
  store: ["file", "memory", "s3", "minio"],
  idempotent: ["yes", "no"],
} as const;

export type Combination = CombinationOf<typeof DIMENSIONS>;

/** Stores over a bucket, by the scheme of the driver's root. */
export const BUCKET_STORES = ["s3", "minio"] as const;
export type BucketStore = (typeof BUCKET_STORES)[number];

export function isBucketStore(store: Combination["store"]): store is BucketStore {
  return BUCKET_STORES.some((each) => each === store);
}

/** What a word means where it is not what it says. */
export const MEANINGS: Readonly<Record<string, string>> = {
  "client=kafkajs": "with the codecs of @karst/records",
  "client=embedded":
    "in a process of its own; the group reads through a broker over the same root afterwards",
  "store=memory":
    "nothing dies: connections are cut; embedded, the engine is closed in the middle of appends and opened again",
  "store=s3":
    "objects in a bucket, by @aws-sdk/client-s3, the WAL on the disk; `server` is what the bucket is of",
  "store=minio": "the same by the client of MinIO",
  "client=embedded idempotent=yes":
    "a batch at a time, each on condition of the partition's next offset",
};

/** Pairs that cannot be, here, and why. */
export function notApplicable(
  zstdOfPlatformatic: boolean = compressionsAlgorithms.zstd.available === true,
): ReadonlyMap<string, string> {
  return zstdOfPlatformatic
    ? new Map()
    : new Map([
        [
          "client=platformatic codec=zstd",
          "@platformatic/kafka takes zstd from Node, which has it from 22.15 on",
        ],
      ]);
}

/** The combinations to run. */
export function killMatrix(excluded: ReadonlyMap<string, string> = notApplicable()): Combination[] {
  return pairwise(DIMENSIONS, (each) => !pairsOf(each).some((pair) => excluded.has(pair)));
}

export function nameOf({ client, codec, store, idempotent }: Combination): string {
  return `${client}, ${codec}, ${store}${idempotent === "yes" ? ", idempotent" : ""}`;
}
