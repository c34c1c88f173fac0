import { readFileSync } from "node:fs";
import type { BucketQuery } from "../../bucket-query.ts";
import { objectStoreError } from "../../errors.ts";
import type { ObjectStore } from "../../object-store.ts";
import type { BucketOptions } from "./settings.ts";

/** What each scheme needs. */
const DRIVERS: Readonly<
  Record<
    "s3" | "minio",
    {
      readonly sdk: string;
      readonly load: () => Promise<(options: BucketOptions) => ObjectStore>;
    }
  >
> = {
  s3: {
    sdk: "@aws-sdk/client-s3",
    load: async () => (await import("../s3/s3-object-store.ts")).s3ObjectStore,
  },
  minio: {
    sdk: "minio",
    load: async () => (await import("../minio/minio-object-store.ts")).minioObjectStore,
  },
};

/**
 * Loads a scheme's driver with its SDK and opens a bucket with it.
 *
 * @throws KarstError `UNSUPPORTED` (`invalid`): the SDK is not installed; `INVALID_ROOT` (`invalid`): options that cannot be meant.
 */
export async function openBucket(
  scheme: "s3" | "minio",
  bucket: string,
  { ca, ...query }: BucketQuery,
): Promise<ObjectStore> {
  const { sdk, load } = DRIVERS[scheme];
  const driver = await load().catch((cause: unknown) => {
    const missing = (cause as { readonly code?: unknown }).code === "ERR_MODULE_NOT_FOUND";
    const why = missing ? `is not installed: npm install ${sdk}` : "cannot be loaded";
    throw objectStoreError(
      "UNSUPPORTED",
      `${scheme}://${bucket} needs ${sdk}, which ${why}`,
      cause,
    );
  });
  try {
    return driver({
      bucket,
      ...query,
      ...(ca === undefined ? {} : { ca: readFileSync(ca, "utf8") }),
    });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw objectStoreError("INVALID_ROOT", `${scheme}://${bucket}: ${why}`, cause);
  }
}
