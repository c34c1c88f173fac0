import { bodyBytes } from "../body.ts";
import { Lifecycle } from "../lifecycle.ts";
import type {
  CallOptions,
  GetOptions,
  ListOptions,
  MultipartUpload,
  ObjectBody,
  ObjectInfo,
  ObjectStore,
  ObjectStoreCapabilities,
} from "../object-store.ts";

export type WriteMethod =
  | "put"
  | "putIfAbsent"
  | "putIfMatch"
  | "delete"
  | "createMultipart"
  | "part"
  | "complete"
  | "abort";
export type ReadMethod = "get" | "head" | "list";

/** A call on its way through a wrapper. */
export interface StoreCall {
  readonly method: WriteMethod | ReadMethod;
  /** The key; of `list` the prefix, of `delete` the first key. */
  readonly key: string;
  /** Bytes of the body. */
  readonly bytes: number;
  readonly signal: AbortSignal | undefined;
}

export interface WriteCall extends StoreCall {
  readonly method: WriteMethod;
  /** Of the calls that have one. */
  readonly body: ObjectBody | undefined;
}

/** What a wrapper changes of the call that it passes on. */
export interface Passing {
  readonly body?: ObjectBody | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Passes the call on to the wrapped store; each call of it is a request. */
export type Pass<T> = (passing: Passing) => Promise<T>;

/** A wrapper's say in every call. */
export interface StoreHooks {
  write<T>(call: WriteCall, pass: Pass<T>): Promise<T>;
  get(call: StoreCall, pass: Pass<Uint8Array>): Promise<Uint8Array>;
  head(call: StoreCall, pass: Pass<ObjectInfo | undefined>): Promise<ObjectInfo | undefined>;
  list(
    call: StoreCall & { readonly startAfter: string },
    pass: ListPass,
  ): AsyncIterable<ObjectInfo>;
}

export type ListPass = (passing: {
  readonly startAfter: string;
  readonly signal?: AbortSignal | undefined;
}) => AsyncIterable<ObjectInfo>;

/** A store whose calls go through `hooks`. It closes the wrapped one when its own calls have settled, whatever they wait for. */
export class HookedObjectStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #hooks: StoreHooks;
  readonly #lifecycle: Lifecycle;

  constructor(store: ObjectStore, hooks: StoreHooks) {
    this.#store = store;
    this.#hooks = hooks;
    this.#lifecycle = new Lifecycle(store.location);
  }

  get capabilities(): ObjectStoreCapabilities {
    return this.#store.capabilities;
  }

  get location(): string {
    return this.#store.location;
  }

  async put(key: string, body: ObjectBody, options?: CallOptions): Promise<void> {
    return this.#write(writeCall("put", key, body, options), (passing) =>
      this.#store.put(key, passing.body ?? body, signalOf(passing)),
    );
  }

  async putIfAbsent(
    key: string,
    body: ObjectBody,
    options?: CallOptions,
  ): Promise<"created" | "exists"> {
    return this.#write(writeCall("putIfAbsent", key, body, options), (passing) =>
      this.#store.putIfAbsent(key, passing.body ?? body, signalOf(passing)),
    );
  }

  async putIfMatch(
    key: string,
    body: ObjectBody,
    etag: string,
    options?: CallOptions,
  ): Promise<"replaced" | "mismatch"> {
    return this.#write(writeCall("putIfMatch", key, body, options), (passing) =>
      this.#store.putIfMatch(key, passing.body ?? body, etag, signalOf(passing)),
    );
  }

  async get(key: string, options?: GetOptions): Promise<Uint8Array> {
    const range = options?.range === undefined ? {} : { range: options.range };
    const call = readCall("get", key, options);
    return this.#lifecycle.run(call.signal, () =>
      this.#hooks.get(call, (passing) => this.#store.get(key, { ...range, ...signalOf(passing) })),
    );
  }

  async head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined> {
    const call = readCall("head", key, options);
    return this.#lifecycle.run(call.signal, () =>
      this.#hooks.head(call, (passing) => this.#store.head(key, signalOf(passing))),
    );
  }

  list(prefix: string, options?: ListOptions): AsyncIterable<ObjectInfo> {
    const call = { ...readCall("list", prefix, options), startAfter: options?.startAfter ?? "" };
    return this.#hooks.list(call, (passing) =>
      this.#store.list(prefix, { startAfter: passing.startAfter, ...signalOf(passing) }),
    );
  }

  async delete(keys: readonly string[], options?: CallOptions): Promise<void> {
    return this.#write(writeCall("delete", keys[0] ?? "", undefined, options), (passing) =>
      this.#store.delete(keys, signalOf(passing)),
    );
  }

  async createMultipart(key: string, options?: CallOptions): Promise<MultipartUpload> {
    const upload = await this.#write(
      writeCall("createMultipart", key, undefined, options),
      (passing) => this.#store.createMultipart(key, signalOf(passing)),
    );
    return {
      part: async (number, body, partOptions) =>
        this.#write(writeCall("part", key, body, partOptions), (passing) =>
          upload.part(number, passing.body ?? body, signalOf(passing)),
        ),
      complete: async (completeOptions) =>
        this.#write(writeCall("complete", key, undefined, completeOptions), (passing) =>
          upload.complete(signalOf(passing)),
        ),
      abort: async (abortOptions) =>
        this.#write(writeCall("abort", key, undefined, abortOptions), (passing) =>
          upload.abort(signalOf(passing)),
        ),
    };
  }

  async close(): Promise<void> {
    await this.#lifecycle.close();
    await this.#store.close();
  }

  #write<T>(call: WriteCall, pass: Pass<T>): Promise<T> {
    return this.#lifecycle.run(call.signal, () => this.#hooks.write(call, pass));
  }
}

function writeCall(
  method: WriteMethod,
  key: string,
  body: ObjectBody | undefined,
  options: CallOptions | undefined,
): WriteCall {
  return {
    method,
    key,
    bytes: body === undefined ? 0 : bodyBytes(body),
    body,
    signal: options?.signal,
  };
}

function readCall(method: ReadMethod, key: string, options: CallOptions | undefined): StoreCall {
  return { method, key, bytes: 0, signal: options?.signal };
}

function signalOf(passing: Passing): CallOptions {
  return passing.signal === undefined ? {} : { signal: passing.signal };
}
