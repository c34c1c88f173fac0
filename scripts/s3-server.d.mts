/** A server that runs, and how it is reached. */
export interface S3Server {
  readonly name: S3ServerName;
  /** What was installed: `github.com/versity/versitygw/cmd/versitygw@v1.8.0`. */
  readonly source: string;
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Makes an empty bucket. */
  createBucket(name: string): Promise<void>;
  /** Ends the process and removes what it stored. */
  stop(): Promise<void>;
}

export type S3ServerName = "versitygw" | "minio";

export const S3_SERVER_NAMES: readonly S3ServerName[];

/** The binary in the cache; undefined: not obtained yet. */
export function cachedServer(name: S3ServerName): string | undefined;

/** Builds the binary into the cache, unless it is there. @throws Error without Go, or where it fails. */
export function obtainServer(name: S3ServerName): Promise<string>;

/** Starts a server of its own on a free port of 127.0.0.1, over an empty folder. */
export function startServer(name: S3ServerName): Promise<S3Server>;

/**
 * What tests run on: the server of `KARST_TEST_S3_ENDPOINT` (with `KARST_TEST_S3_BUCKET` and the usual AWS_* variables), else one of
 * the kind `KARST_TEST_S3_SERVER`, else one of a kind that was obtained before; undefined: those tests are skipped.
 */
export function chosenServer(
  environment?: Readonly<Record<string, string | undefined>>,
): "endpoint" | S3ServerName | undefined;
