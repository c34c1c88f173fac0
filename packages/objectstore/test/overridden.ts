import type { ObjectStore } from "@karst/objectstore";

/** The store with some of its methods replaced. */
export function overridden(store: ObjectStore, by: Partial<ObjectStore>): ObjectStore {
  return {
    capabilities: store.capabilities,
    location: store.location,
    put: (...args) => store.put(...args),
    putIfAbsent: (...args) => store.putIfAbsent(...args),
    putIfMatch: (...args) => store.putIfMatch(...args),
    get: (...args) => store.get(...args),
    head: (...args) => store.head(...args),
    list: (...args) => store.list(...args),
    delete: (...args) => store.delete(...args),
    createMultipart: (...args) => store.createMultipart(...args),
    close: () => store.close(),
    ...by,
  };
}
