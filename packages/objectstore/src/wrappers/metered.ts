import { type Metrics, isKarstError } from "@karst/runtime";
import type { ObjectInfo, ObjectStore } from "../object-store.ts";
import {
  HookedObjectStore,
  type ListPass,
  type Pass,
  type StoreCall,
  type StoreHooks,
  type WriteCall,
} from "./hooked.ts";

/** The names that calls are counted under. */
const KINDS = {
  put: "put",
  putIfAbsent: "put_if_absent",
  putIfMatch: "put_if_match",
  get: "get",
  head: "head",
  list: "list",
  delete: "delete",
  createMultipart: "create_multipart",
  part: "part",
  complete: "complete_multipart",
  abort: "abort_multipart",
} as const;

/**
 * Counts what goes to the store: `karst_objectstore_<kind>_requests`, `…_failures` (rejections of kind `unavailable` and
 * `indeterminate`) and `…_bytes` (bodies of answered calls; of `get` those received), and of `list` its `…_entries`.
 */
export function meteredObjectStore(store: ObjectStore, metrics: Metrics): ObjectStore {
  return new HookedObjectStore(store, new Meter(metrics));
}

class Meter implements StoreHooks {
  readonly #metrics: Metrics;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  async write<T>(call: WriteCall, pass: Pass<T>): Promise<T> {
    const answer = await this.#request(call, () => pass(call));
    if (call.bytes > 0) this.#count(call, "bytes", call.bytes);
    return answer;
  }

  async get(call: StoreCall, pass: Pass<Uint8Array>): Promise<Uint8Array> {
    const bytes = await this.#request(call, () => pass(call));
    this.#count(call, "bytes", bytes.length);
    return bytes;
  }

  head(call: StoreCall, pass: Pass<ObjectInfo | undefined>): Promise<ObjectInfo | undefined> {
    return this.#request(call, () => pass(call));
  }

  async *list(
    call: StoreCall & { readonly startAfter: string },
    pass: ListPass,
  ): AsyncGenerator<ObjectInfo, void, undefined> {
    this.#count(call, "requests", 1);
    try {
      for await (const info of pass(call)) {
        this.#count(call, "entries", 1);
        yield info;
      }
    } catch (error) {
      this.#failed(call, error);
      throw error;
    }
  }

  async #request<T>(call: StoreCall, request: () => Promise<T>): Promise<T> {
    this.#count(call, "requests", 1);
    try {
      return await request();
    } catch (error) {
      this.#failed(call, error);
      throw error;
    }
  }

  #failed(call: StoreCall, error: unknown): void {
    if (isKarstError(error, "unavailable", "indeterminate")) this.#count(call, "failures", 1);
  }

  #count(call: StoreCall, unit: string, amount: number): void {
    this.#metrics.counter(`karst_objectstore_${KINDS[call.method]}_${unit}`).add(amount);
  }
}
