import { concatBytes, copyOf } from "@karst/runtime";
import { bodyParts, resolveRange } from "../body.ts";
import { objectStoreError } from "../errors.ts";
import { checkKey, checkPrefix } from "../key.ts";
import { Lifecycle } from "../lifecycle.ts";
import { LIST_PAGE_ENTRIES } from "../limits.ts";
import { MultipartParts } from "../multipart-parts.ts";
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
import { MemoryBucket } from "./memory-bucket.ts";

export interface MemoryObjectStoreOptions {
  /** Objects to share with other stores; without it the store has its own. */
  readonly bucket?: MemoryBucket;
  /** Shown in `location` as `memory:<name>`. */
  readonly name?: string;
}

/** A strongly consistent store in this process's memory: a call takes effect before it returns its promise. Nothing outlives the process. */
export function memoryObjectStore(options: MemoryObjectStoreOptions = {}): ObjectStore {
  return new MemoryObjectStore(options);
}

class MemoryObjectStore implements ObjectStore {
  readonly capabilities: ObjectStoreCapabilities = {
    multipart: true,
    putIfMatch: true,
    nestedKeys: true,
  };
  readonly location: string;
  readonly #bucket: MemoryBucket;
  readonly #lifecycle: Lifecycle;

  constructor(options: MemoryObjectStoreOptions) {
    this.#bucket = options.bucket ?? new MemoryBucket();
    this.location = `memory:${options.name ?? ""}`;
    this.#lifecycle = new Lifecycle(this.location);
  }

  put(key: string, body: ObjectBody, options?: CallOptions): Promise<void> {
    return this.#lifecycle.run(options?.signal, async () => {
      checkKey(key);
      this.#bucket.set(key, concatBytes(bodyParts(body)));
    });
  }

  putIfAbsent(key: string, body: ObjectBody, options?: CallOptions): Promise<"created" | "exists"> {
    return this.#lifecycle.run(options?.signal, async () => {
      checkKey(key);
      const bytes = concatBytes(bodyParts(body));
      if (this.#bucket.get(key) !== undefined) return "exists";
      this.#bucket.set(key, bytes);
      return "created";
    });
  }

  putIfMatch(
    key: string,
    body: ObjectBody,
    etag: string,
    options?: CallOptions,
  ): Promise<"replaced" | "mismatch"> {
    return this.#lifecycle.run(options?.signal, async () => {
      checkKey(key);
      const bytes = concatBytes(bodyParts(body));
      if (this.#bucket.get(key)?.etag !== etag) return "mismatch";
      this.#bucket.set(key, bytes);
      return "replaced";
    });
  }

  get(key: string, options?: GetOptions): Promise<Uint8Array> {
    return this.#lifecycle.run(options?.signal, async () => {
      checkKey(key);
      const object = this.#bucket.get(key);
      if (object === undefined)
        throw objectStoreError("OBJECT_NOT_FOUND", `${this.location} has no object ${key}`);
      const { start, end } = resolveRange(key, options?.range, object.bytes.length);
      return copyOf(object.bytes.subarray(start, end));
    });
  }

  head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined> {
    return this.#lifecycle.run(options?.signal, async () => {
      checkKey(key);
      return this.#info(key);
    });
  }

  async *list(prefix: string, options?: ListOptions): AsyncGenerator<ObjectInfo, void, undefined> {
    let after = options?.startAfter ?? "";
    for (;;) {
      const page = await this.#page(prefix, { ...options, startAfter: after });
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.key;
      yield* page;
    }
  }

  delete(keys: readonly string[], options?: CallOptions): Promise<void> {
    return this.#lifecycle.run(options?.signal, async () => {
      for (const key of keys) checkKey(key);
      for (const key of keys) this.#bucket.delete(key);
    });
  }

  createMultipart(key: string, options?: CallOptions): Promise<MultipartUpload> {
    return this.#lifecycle.run(options?.signal, async () => {
      checkKey(key);
      return new MemoryUpload(this.#lifecycle, (bytes) => this.#bucket.set(key, bytes));
    });
  }

  close(): Promise<void> {
    return this.#lifecycle.close();
  }

  #page(
    prefix: string,
    { startAfter, signal }: ListOptions & { readonly startAfter: string },
  ): Promise<readonly ObjectInfo[]> {
    return this.#lifecycle.run(signal, async () => {
      checkPrefix(prefix);
      checkPrefix(startAfter);
      return this.#bucket
        .keys(prefix, startAfter, LIST_PAGE_ENTRIES)
        .flatMap((key) => this.#info(key) ?? []);
    });
  }

  #info(key: string): ObjectInfo | undefined {
    const object = this.#bucket.get(key);
    return object === undefined
      ? undefined
      : { key, bytes: object.bytes.length, etag: object.etag };
  }
}

class MemoryUpload implements MultipartUpload {
  readonly #parts: MultipartParts<Uint8Array> = new MultipartParts();
  readonly #lifecycle: Lifecycle;
  readonly #publish: (bytes: Uint8Array) => void;

  constructor(lifecycle: Lifecycle, publish: (bytes: Uint8Array) => void) {
    this.#lifecycle = lifecycle;
    this.#publish = publish;
  }

  part(number: number, body: ObjectBody, options?: CallOptions): Promise<void> {
    return this.#lifecycle.run(options?.signal, () =>
      this.#parts.add(number, async () => concatBytes(bodyParts(body))),
    );
  }

  complete(options?: CallOptions): Promise<void> {
    return this.#lifecycle.run(options?.signal, () =>
      this.#parts.complete(async (parts) => this.#publish(concatBytes(parts))),
    );
  }

  abort(options?: CallOptions): Promise<void> {
    return this.#lifecycle.run(options?.signal, async () => {
      this.#parts.end();
    });
  }
}
