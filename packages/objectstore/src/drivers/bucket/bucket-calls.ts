import type { Readable } from "node:stream";
import type { ObjectInfo } from "../../object-store.ts";
import type { Exchange } from "./exchange.ts";
import type { Payload } from "./payload.ts";

/** Of a conditional put. */
export type PutCondition =
  | { readonly tag: "absent" }
  | { readonly tag: "match"; readonly etag: string };

export interface PutRequest {
  readonly key: string;
  readonly payload: Payload;
  readonly condition?: PutCondition;
}

export interface ObjectHead {
  readonly bytes: number;
  readonly etag: string;
}

export interface PageRequest {
  readonly prefix: string;
  readonly startAfter: string;
  /** The `next` of the page before. */
  readonly token: string | undefined;
  /** At most. */
  readonly entries: number;
}

export interface ListedPage {
  /** As the server gave them: in its order, of any key. */
  readonly objects: readonly ObjectInfo[];
  /** Of the next page; undefined: this is the last. */
  readonly next: string | undefined;
}

export interface UploadId {
  readonly key: string;
  readonly id: string;
}

export interface PartRequest {
  readonly upload: UploadId;
  readonly number: number;
  readonly payload: Payload;
}

export interface StoredPart {
  readonly number: number;
  readonly etag: string;
  /** Of its bytes, as the server was sent it; undefined where the signature vouched for them. */
  readonly crc32c: string | undefined;
}

/**
 * The requests of a bucket, as an SDK sends them: one each, through the transport, never repeated. They reject with whatever the
 * SDK throws; the exchange has what happened.
 */
export interface BucketCalls {
  /** Whether an answer that finds the clock off sets right the time of the requests after it. */
  readonly followsServerClock: boolean;
  put(exchange: Exchange, put: PutRequest): Promise<void>;
  /** @param range its header, `bytes=0-9`. @returns the body, not read yet. */
  get(exchange: Exchange, key: string, range: string | undefined): Promise<Readable>;
  head(exchange: Exchange, key: string): Promise<ObjectHead>;
  list(exchange: Exchange, page: PageRequest): Promise<ListedPage>;
  deleteOne(exchange: Exchange, key: string): Promise<void>;
  /** At most 1,000. @returns codes of the keys that could not be removed. */
  deleteMany(exchange: Exchange, keys: readonly string[]): Promise<readonly string[]>;
  beginUpload(exchange: Exchange, key: string): Promise<string>;
  uploadPart(exchange: Exchange, part: PartRequest): Promise<StoredPart>;
  completeUpload(exchange: Exchange, upload: UploadId, parts: readonly StoredPart[]): Promise<void>;
  abortUpload(exchange: Exchange, upload: UploadId): Promise<void>;
  /** Forgets the credentials in use; does not reject. */
  refreshCredentials(): Promise<void>;
  close(): void;
}
