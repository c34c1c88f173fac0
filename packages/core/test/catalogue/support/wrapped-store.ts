import type { ObjectInfo, ObjectStore } from "@karst/objectstore";

export interface StoreRequest {
  readonly method: "put" | "putIfAbsent" | "get" | "head" | "list" | "delete";
  /** The key, the prefix, or the first of the keys. */
  readonly key: string;
  readonly body: Uint8Array | undefined;
}

/** Stands between a caller and a store: may wait, look, refuse; `pass` makes the call. */
export type Around = <T>(request: StoreRequest, pass: () => Promise<T>) => Promise<T>;

/** A store each of whose calls goes through `around`. */
export function wrappedStore(store: ObjectStore, around: Around): ObjectStore {
  const request = (method: StoreRequest["method"], key: string, body?: unknown): StoreRequest => ({
    method,
    key,
    body: body instanceof Uint8Array ? body : undefined,
  });
  return {
    capabilities: store.capabilities,
    location: store.location,
    put: (key, body, options) =>
      around(request("put", key, body), () => store.put(key, body, options)),
    putIfAbsent: (key, body, options) =>
      around(request("putIfAbsent", key, body), () => store.putIfAbsent(key, body, options)),
    putIfMatch: (key, body, etag, options) => store.putIfMatch(key, body, etag, options),
    get: (key, options) => around(request("get", key), () => store.get(key, options)),
    head: (key, options) => around(request("head", key), () => store.head(key, options)),
    async *list(prefix, options) {
      const page = async (): Promise<readonly ObjectInfo[]> => {
        const entries: ObjectInfo[] = [];
        for await (const entry of store.list(prefix, options)) entries.push(entry);
        return entries;
      };
      yield* await around(request("list", prefix), page);
    },
    delete: (keys, options) =>
      around(request("delete", keys[0] ?? ""), () => store.delete(keys, options)),
    createMultipart: (key, options) => store.createMultipart(key, options),
    close: () => store.close(),
  };
}
