import { nodeClock } from "@karst/runtime/node";
import { BUCKET_LIMITS } from "../../limits.ts";
import type { ObjectStore } from "../../object-store.ts";
import { BucketObjectStore } from "../bucket/bucket-object-store.ts";
import { Credentials, providerOf } from "../bucket/credentials.ts";
import { type BucketOptions, bucketSettings } from "../bucket/settings.ts";
import { Transport } from "../bucket/transport.ts";
import { S3Calls } from "./s3-calls.ts";

/**
 * A bucket of Amazon S3, or of a server that speaks its language, through `@aws-sdk/client-s3`. Opens no connection before the
 * first call. Without `credentials` the SDK looks for them where it always does.
 *
 * @throws TypeError for options that cannot be meant.
 */
export function s3ObjectStore(options: BucketOptions): ObjectStore {
  const settings = bucketSettings(options, process.env);
  const limits = { ...BUCKET_LIMITS, ...options.limits };
  const clock = options.clock ?? nodeClock;
  const { credentials: given } = options;
  const credentials = given === undefined ? undefined : new Credentials(providerOf(given), clock);
  const calls = new S3Calls(settings, credentials, new Transport(limits, clock, options.ca));
  return new BucketObjectStore(calls, { location: `s3://${settings.bucket}`, limits, clock });
}
