/** Longest key, in characters. */
export const KEY_LENGTH_MAX: number = 512;

/** Longest part of a key between slashes: with the file driver's mark it fits the 255 bytes that file systems allow. */
export const KEY_SEGMENT_LENGTH_MAX: number = 200;

/** Greatest part number of a multipart upload, S3's. */
export const MULTIPART_PARTS_MAX: number = 10_000;

/** Entries that `list` reads ahead of its consumer. */
export const LIST_PAGE_ENTRIES: number = 1_000;

/** File driver: bytes handed to the disk in one write; between two the pace hook runs. */
export const WRITE_PIECE_BYTES: number = 1024 * 1024;

/** File driver: shorter parts of a body are gathered into one write. */
export const GATHER_BELOW_BYTES: number = 256 * 1024;

/** File driver: dirty bytes of one object after which it is synced, so that no sync has much to do. */
export const SYNC_EVERY_BYTES: number = 2 * 1024 * 1024;

/** File driver: bytes asked of the disk in one read. */
export const READ_PIECE_BYTES: number = 4 * 1024 * 1024;

/** File driver: calls that hold a file open at once. */
export const FILE_CALLS_MAX: number = 64;

/** File driver: calls that wait for one of those places; beyond it they are refused as `UNAVAILABLE`. */
export const FILE_CALLS_WAITING_MAX: number = 4_096;

/** File driver: names looked up or removed at once by one `list` or `delete`. */
export const NAMES_AT_ONCE: number = 32;

/** File driver: objects remembered as durable, so that reading them again syncs no directory. */
export const DURABLE_KEYS_MAX: number = 16_384;

/** File driver: directories remembered as durable. */
export const DURABLE_DIRECTORIES_MAX: number = 16_384;

/** File driver: names tried for one temporary file. */
export const TEMP_NAME_TRIES: number = 8;

/** File driver: idle time after which opening a store takes a temporary file for abandoned. */
export const TEMP_IDLE_MS: number = 10 * 60 * 1000;

/** Bucket drivers: bounds of a store's connections and requests. */
export interface BucketLimits {
  /** Connections at once, and so requests under way. */
  readonly connections: number;
  /** Calls under way, those that wait for a connection included; beyond it they are refused as `UNAVAILABLE`. */
  readonly calls: number;
  /** Time to a connection, TLS included. */
  readonly connectTimeoutMs: number;
  /** Time in which not a byte of a request or its answer moves. */
  readonly requestTimeoutMs: number;
  /** Time after which a connection that nobody uses is closed. */
  readonly idleMs: number;
}

export const BUCKET_LIMITS: BucketLimits = {
  connections: 64,
  calls: 4_096,
  connectTimeoutMs: 5_000,
  requestTimeoutMs: 20_000,
  idleMs: 10_000,
};

/** Bucket drivers: tries of a write that meets a directory where its object is to be. */
export const KEY_CONFLICT_TRIES: number = 4;

/** Bucket drivers: keys of one request to delete many, S3's. */
export const DELETE_KEYS_MAX: number = 1_000;

/** Bucket drivers: single deletes at once, where a server does not delete many. */
export const DELETES_AT_ONCE: number = 16;

/** Bucket drivers: bytes of an error's body that are looked at. */
export const ERROR_BODY_BYTES_MAX: number = 64 * 1024;

/** Bucket drivers: shorter parts of a body are sent in one write. */
export const SEND_TOGETHER_BELOW_BYTES: number = 64 * 1024;

/** Bounds of `retryingObjectStore` and `putIfAbsentResolved`. */
export interface RetryLimits {
  /** Tries of one call, the first included. */
  readonly attempts: number;
  /** Time after which nothing is tried again, and a try under way is aborted. */
  readonly deadlineMs: number;
  /** The pause before try n is uniform in [0, min(backoffMsMax, backoffMsMin · 2^(n−1))). */
  readonly backoffMsMin: number;
  readonly backoffMsMax: number;
}

export const RETRY_LIMITS: RetryLimits = {
  attempts: 8,
  deadlineMs: 30_000,
  backoffMsMin: 50,
  backoffMsMax: 5_000,
};

/** Fault wrapper: prefixes whose last listing is kept, to be shown again as a stale one. */
export const STALE_LISTINGS_MAX: number = 64;

/** Fault wrapper: entries of a listing above which it is not kept. */
export const STALE_LISTING_ENTRIES_MAX: number = 10_000;

/** Start-up probe: conditional creates of one key at the same time. */
export const PROBE_RACERS: number = 8;
