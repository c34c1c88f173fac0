import { checkKey, checkPrefix } from "../key.ts";
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

/**
 * The objects of `store` below `prefix`, under keys without it. Closing it closes `store`.
 *
 * @param prefix a valid key, without a slash at its end; with it, keys are shorter by its length and the slash.
 * @throws KarstError `INVALID_KEY` (`invalid`).
 */
export function prefixedObjectStore(store: ObjectStore, prefix: string): ObjectStore {
  checkKey(prefix);
  return new PrefixedObjectStore(store, `${prefix}/`);
}

class PrefixedObjectStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #prefix: string;

  constructor(store: ObjectStore, prefix: string) {
    this.#store = store;
    this.#prefix = prefix;
  }

  get capabilities(): ObjectStoreCapabilities {
    return this.#store.capabilities;
  }

  get location(): string {
    return `${this.#store.location}/${this.#prefix.slice(0, -1)}`;
  }

  async put(key: string, body: ObjectBody, options?: CallOptions): Promise<void> {
    return this.#store.put(this.#outer(key), body, options);
  }

  async putIfAbsent(
    key: string,
    body: ObjectBody,
    options?: CallOptions,
  ): Promise<"created" | "exists"> {
    return this.#store.putIfAbsent(this.#outer(key), body, options);
  }

  async putIfMatch(
    key: string,
    body: ObjectBody,
    etag: string,
    options?: CallOptions,
  ): Promise<"replaced" | "mismatch"> {
    return this.#store.putIfMatch(this.#outer(key), body, etag, options);
  }

  async get(key: string, options?: GetOptions): Promise<Uint8Array> {
    return this.#store.get(this.#outer(key), options);
  }

  async head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined> {
    const info = await this.#store.head(this.#outer(key), options);
    return info === undefined ? undefined : { ...info, key };
  }

  async *list(prefix: string, options?: ListOptions): AsyncGenerator<ObjectInfo, void, undefined> {
    checkPrefix(prefix);
    const after = options?.startAfter;
    const outer =
      after === undefined || after === ""
        ? options
        : { ...options, startAfter: this.#prefix + after };
    for await (const info of this.#store.list(this.#prefix + prefix, outer)) {
      yield { ...info, key: info.key.slice(this.#prefix.length) };
    }
  }

  async delete(keys: readonly string[], options?: CallOptions): Promise<void> {
    return this.#store.delete(
      keys.map((key) => this.#outer(key)),
      options,
    );
  }

  async createMultipart(key: string, options?: CallOptions): Promise<MultipartUpload> {
    return this.#store.createMultipart(this.#outer(key), options);
  }

  async close(): Promise<void> {
    return this.#store.close();
  }

  /** Checked by itself first: a message names the key that the caller gave. */
  #outer(key: string): string {
    checkKey(key);
    return this.#prefix + key;
  }
}
