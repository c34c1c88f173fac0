/** What is known of an object without reading it. */
export interface ObjectInfo {
  readonly key: string;
  readonly bytes: number;
  /** Opaque version of the content; never an MD5. For logs and comparison with itself only. */
  readonly etag: string;
}

/** What a store can do beyond the required calls; an unsupported call throws `UNSUPPORTED` (`invalid`). */
export interface ObjectStoreCapabilities {
  readonly multipart: boolean;
  /** Replace an object only at a known etag. Nothing that safety rests on uses it. */
  readonly putIfMatch: boolean;
  /**
   * Whether a key may begin another one at a slash: `a`, `a/b`. Where not, the second of them is refused as `UNSUPPORTED` or
   * `UNAVAILABLE`, or is missing in lists; Karst's own keys never do.
   */
  readonly nestedKeys: boolean;
}

export interface CallOptions {
  /**
   * Aborting stops the waiting. An aborted call rejects with `UNAVAILABLE` if it certainly had no effect, as one aborted before it
   * began, else with `UNKNOWN_OUTCOME`; the signal's reason is the cause. It may also succeed.
   */
  readonly signal?: AbortSignal;
}

export interface GetOptions extends CallOptions {
  /** Default: the whole object. */
  readonly range?: ByteRange;
}

export interface ListOptions extends CallOptions {
  readonly startAfter?: string;
}

/** One body, or its parts in order. Borrowed until the call settles. */
export type ObjectBody = Uint8Array | readonly Uint8Array[];

/**
 * Immutable objects under keys of `[A-Za-z0-9._/-]`, 1..512 characters, whose segments, between slashes, have 1..200 characters
 * and are not `.` or `..`. Any other key rejects with `INVALID_KEY` (`invalid`). With
 * `nestedKeys` a key may also begin another one: `a`, `a/b`.
 *
 * A resolved write is durable and visible to every later call of every process. Writes are atomic: a key has no object, or
 * all of one. Rejections: `UNAVAILABLE` (`unavailable`) means certainly not done; `UNKNOWN_OUTCOME` (`indeterminate`) means it
 * may have been done, or may still be; reads reject with `unavailable` only.
 */
export interface ObjectStore {
  readonly capabilities: ObjectStoreCapabilities;
  /** Where the objects are, for messages: `file:/var/lib/karst`. */
  readonly location: string;

  /** Creates or replaces. */
  put(key: string, body: ObjectBody, options?: CallOptions): Promise<void>;
  /** Creates unless the key has an object. Of any number of concurrent calls exactly one gets `created`. */
  putIfAbsent(key: string, body: ObjectBody, options?: CallOptions): Promise<"created" | "exists">;
  /** Replaces the object at `etag`. `mismatch`: another version, or none. */
  putIfMatch(
    key: string,
    body: ObjectBody,
    etag: string,
    options?: CallOptions,
  ): Promise<"replaced" | "mismatch">;
  /**
   * The object's bytes, or those in `[start, end)`; fresh memory, owned by the caller.
   *
   * @throws KarstError `OBJECT_NOT_FOUND` (`not_found`); `RANGE_NOT_SATISFIABLE` (`out_of_range`) unless 0 ≤ start < end ≤ size.
   */
  get(key: string, options?: GetOptions): Promise<Uint8Array>;
  head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined>;
  /** Objects whose key begins with `prefix` and is greater than `startAfter`, in key order (UTF-8). Read lazily, page by page. */
  list(prefix: string, options?: ListOptions): AsyncIterable<ObjectInfo>;
  /** Removes the objects; keys without one are fine. */
  delete(keys: readonly string[], options?: CallOptions): Promise<void>;
  /** Begins an object written in parts; nothing is visible before `complete`. */
  createMultipart(key: string, options?: CallOptions): Promise<MultipartUpload>;
  /** Waits for the calls under way and ends the store's own resources; a second time does nothing. Later calls reject with `STORE_CLOSED` (`closed`). */
  close(): Promise<void>;
}

/** `[start, end)` in bytes. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** After `complete` has succeeded, or after `abort`, its calls reject with `UPLOAD_ENDED` (`closed`); `abort` does nothing then. */
export interface MultipartUpload {
  /**
   * Adds part `number` (1..10,000, any order, each once; one that was rejected may be given again). All but the last are at
   * least 5 MiB where the store is S3.
   */
  part(number: number, body: ObjectBody, options?: CallOptions): Promise<void>;
  /** Makes the parts, at least one, by number, the object; replaces an existing one. After a rejection it may be tried again. */
  complete(options?: CallOptions): Promise<void>;
  abort(options?: CallOptions): Promise<void>;
}
