import { objectStoreError } from "../../errors.ts";
import { checkKey, checkPrefix, endsBefore } from "../../key.ts";
import { Lifecycle } from "../../lifecycle.ts";
import { LIST_PAGE_ENTRIES } from "../../limits.ts";
import type {
  CallOptions,
  GetOptions,
  ListOptions,
  MultipartUpload,
  ObjectBody,
  ObjectInfo,
  ObjectStore,
  ObjectStoreCapabilities,
} from "../../object-store.ts";
import type {
  BucketCalls,
  ListedPage,
  PageRequest,
  PutCondition,
  PutRequest,
} from "./bucket-calls.ts";
import { BucketUpload } from "./bucket-upload.ts";
import { Deleter } from "./deleter.ts";
import type { Exchange } from "./exchange.ts";
import { checkVersioned, isOwn } from "./own-answer.ts";
import { Payload } from "./payload.ts";
import { rangeHeader, readRange } from "./range.ts";
import { Requests, type RequestsOptions } from "./requests.ts";

/**
 * A bucket that speaks S3, over the requests of some SDK.
 *
 * Invariant: `#bucketSeen` once an answer could not have come without the bucket: before that, what HEAD does not find may be the
 * bucket itself.
 */
export class BucketObjectStore implements ObjectStore {
  // Amazon's buckets have keys that begin others; MinIO does not list them, versitygw refuses them.
  readonly capabilities: ObjectStoreCapabilities = {
    multipart: true,
    putIfMatch: true,
    nestedKeys: false,
  };
  readonly location: string;
  readonly #calls: BucketCalls;
  readonly #requests: Requests;
  readonly #deleter: Deleter;
  readonly #lifecycle: Lifecycle;
  #bucketSeen = false;

  constructor(calls: BucketCalls, options: RequestsOptions) {
    const { location } = options;
    this.location = location;
    this.#calls = calls;
    this.#requests = new Requests(calls, options);
    this.#deleter = new Deleter(this.#requests);
    this.#lifecycle = new Lifecycle(location);
  }

  put(key: string, body: ObjectBody, options?: CallOptions): Promise<void> {
    return this.#run(options, async (signal) => {
      checkKey(key);
      const payload = new Payload(body);
      await this.#requests.send(
        { name: `put of ${key}`, effect: "write", signal },
        (calls, exchange) => put(calls, exchange, { key, payload }),
      );
    });
  }

  putIfAbsent(key: string, body: ObjectBody, options?: CallOptions): Promise<"created" | "exists"> {
    return this.#run(options, async (signal) =>
      (await this.#putIf(key, body, { tag: "absent" }, signal)) ? "created" : "exists",
    );
  }

  putIfMatch(
    key: string,
    body: ObjectBody,
    etag: string,
    options?: CallOptions,
  ): Promise<"replaced" | "mismatch"> {
    return this.#run(options, async (signal) =>
      (await this.#putIf(key, body, { tag: "match", etag: `"${etag}"` }, signal))
        ? "replaced"
        : "mismatch",
    );
  }

  get(key: string, options?: GetOptions): Promise<Uint8Array> {
    return this.#run(options, async (signal) => {
      checkKey(key);
      const range = options?.range;
      const header = rangeHeader(key, range);
      return this.#requests.send(
        { name: `get of ${key}`, effect: "read", signal },
        async (calls, exchange) => {
          const body = await calls.get(exchange, key, header);
          return readRange({ key, range, exchange, body });
        },
      );
    });
  }

  head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined> {
    return this.#run(options, async (signal) => {
      checkKey(key);
      const reply = await this.#requests.ask(
        { name: `head of ${key}`, effect: "read", method: "HEAD", signal },
        async (calls, exchange) => {
          const head = await calls.head(exchange, key);
          checkVersioned(exchange);
          return head;
        },
      );
      if (reply.tag === "done") {
        this.#bucketSeen = true;
        const { bytes, etag } = reply.value;
        return { key, bytes, etag: unquoted(etag) };
      }
      if (reply.verdict !== "no-key") throw reply.error;
      if (!this.#bucketSeen || !isOwn(reply.exchange)) await this.#confirmAbsent(key, signal);
      return undefined;
    });
  }

  async *list(prefix: string, options?: ListOptions): AsyncGenerator<ObjectInfo, void, undefined> {
    let after = options?.startAfter ?? "";
    let token: string | undefined;
    // MinIO refuses prefixes of which a segment is "." or "..": there the list begins before what is wanted.
    const asked = String(prefix).replace(/(^|\/)\.{1,2}$/, "$1");
    do {
      const request = { prefix: asked, startAfter: after, token, entries: LIST_PAGE_ENTRIES };
      const page = await this.#listed(prefix, request, options);
      for (const info of page.objects) {
        if (!info.key.startsWith(asked) || info.key <= after) {
          const where = `list of ${prefix} in ${this.location}: ${info.key} after ${after}`;
          throw objectStoreError("UNAVAILABLE", `${where} is out of order`);
        }
        after = info.key;
        if (info.key.startsWith(prefix) && isKey(info.key))
          yield { ...info, etag: unquoted(info.etag) };
      }
      if (page.next !== undefined && page.next === token) {
        const where = `list of ${prefix} in ${this.location}`;
        throw objectStoreError("UNAVAILABLE", `${where}: a page leads to itself`);
      }
      token = page.next;
    } while (token !== undefined);
  }

  delete(keys: readonly string[], options?: CallOptions): Promise<void> {
    return this.#run(options, async (signal) => {
      for (const key of keys) checkKey(key);
      await this.#deleter.delete([...new Set(keys)], signal);
    });
  }

  createMultipart(key: string, options?: CallOptions): Promise<MultipartUpload> {
    return this.#run(options, async (signal) => {
      checkKey(key);
      const id = await this.#requests.send(
        { name: `upload to ${key}`, effect: "write", signal },
        (calls, exchange) => calls.beginUpload(exchange, key),
      );
      return new BucketUpload(this.#requests, this.#lifecycle, { key, id });
    });
  }

  async close(): Promise<void> {
    await this.#lifecycle.close();
    this.#requests.close();
    this.#calls.close();
  }

  #run<T>(
    options: CallOptions | undefined,
    call: (signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T> {
    return this.#lifecycle.run(options?.signal, () => call(options?.signal));
  }

  /** @returns whether the condition held. */
  async #putIf(
    key: string,
    body: ObjectBody,
    condition: PutCondition,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    checkKey(key);
    const payload = new Payload(body);
    const reply = await this.#requests.ask(
      { name: `conditional put of ${key}`, effect: "write", signal },
      (calls, exchange) => put(calls, exchange, { key, payload, condition }),
    );
    if (reply.tag === "done") return true;
    const { verdict } = reply;
    // What must have an etag and is not there: Amazon and MinIO say 404, radosgw 412.
    if (verdict === "precondition" || (verdict === "no-key" && condition.tag === "match"))
      return false;
    throw reply.error;
  }

  /** A page of a list of `prefix`, which is what is asked for or begins with it. */
  #listed(
    prefix: string,
    request: PageRequest,
    options: CallOptions | undefined,
  ): Promise<ListedPage> {
    return this.#run(options, async (signal) => {
      checkPrefix(prefix);
      checkPrefix(request.startAfter);
      if (endsBefore(prefix, request.startAfter)) return { objects: [], next: undefined };
      return this.#page(request, signal);
    });
  }

  /** An answer to HEAD has no body: what does not find the object may be a missing bucket, or no server at all. */
  async #confirmAbsent(key: string, signal: AbortSignal | undefined): Promise<void> {
    const request = { prefix: key, startAfter: "", token: undefined, entries: 1 };
    const { objects } = await this.#page(request, signal);
    if (objects[0]?.key !== key) return;
    const where = `head of ${key} in ${this.location}`;
    throw objectStoreError("UNAVAILABLE", `${where} does not find what a list has`);
  }

  async #page(request: PageRequest, signal: AbortSignal | undefined): Promise<ListedPage> {
    const page = await this.#requests.send(
      { name: `list of ${request.prefix}`, effect: "read", signal },
      (calls, exchange) => calls.list(exchange, request),
    );
    this.#bucketSeen = true;
    return page;
  }
}

async function put(calls: BucketCalls, exchange: Exchange, request: PutRequest): Promise<void> {
  await calls.put(exchange, request);
  checkVersioned(exchange);
}

/** Others may keep objects in the bucket whose keys no call of this interface can name. */
function isKey(key: string): boolean {
  try {
    checkKey(key);
    return true;
  } catch {
    return false;
  }
}

/** Servers and SDKs differ in whether an etag has its quotes, and what compresses on the way weakens it. */
function unquoted(etag: string): string {
  return etag.replace(/^(?:W\/)?"?(.*?)"?$/, "$1");
}
