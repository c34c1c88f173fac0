import { putIfAbsentResolved, type ObjectStore } from "@karst/objectstore";
import { crc32c, hasCode, type Runtime } from "@karst/runtime";
import { coreError } from "../../errors.ts";
import type { CatalogueLimits } from "../limits.ts";
import { decodeEntry, type Entry } from "./entry.ts";
import { type ChunkReference, decodeManifest, type Manifest } from "./manifest.ts";
import { chunkKey, entryKey, manifestKey, numberInKey } from "./object-keys.ts";

/**
 * The log's objects, each read whole and checked. What fails its check is read once more, for it may have been damaged on the way.
 *
 * Rejections of the store (`unavailable`, `closed`) pass through every method.
 */
export class LogStore {
  readonly #store: ObjectStore;
  readonly #runtime: Runtime;
  readonly #limits: CatalogueLimits;

  constructor(store: ObjectStore, runtime: Runtime, limits: CatalogueLimits) {
    this.#store = store;
    this.#runtime = runtime;
    this.#limits = limits;
  }

  /** Where it all is, for messages. */
  get location(): string {
    return this.#store.location;
  }

  /** @throws KarstError `CATALOGUE_CORRUPT`, `CATALOGUE_VERSION` (`corrupt`). */
  entry(number: number): Promise<Entry | undefined> {
    return this.#read(entryKey(number), (bytes) => decodeEntry(bytes, number));
  }

  /** @throws KarstError `CATALOGUE_CORRUPT`, `CATALOGUE_VERSION` (`corrupt`). */
  manifest(ordinal: number): Promise<Manifest | undefined> {
    return this.#read(manifestKey(ordinal), (bytes) => decodeManifest(bytes, ordinal));
  }

  /** The bytes of a chunk, equal to those that were written. @throws KarstError `CATALOGUE_CORRUPT` (`corrupt`). */
  chunk(reference: ChunkReference): Promise<Uint8Array | undefined> {
    const key = chunkKey(reference);
    return this.#read(key, (bytes) => {
      if (bytes.length === reference.bytes && crc32c(bytes) === reference.crc) return bytes;
      throw coreError("CATALOGUE_CORRUPT", `${key}: not the bytes that its manifest names`);
    });
  }

  /** Ordinal of the newest manifest, at least `known`; `known` itself says that `known + 1` was absent at some moment of the call. */
  async newestManifest(known: number): Promise<number> {
    let newest = known;
    let step = 1;
    while (await this.#has(newest + step)) {
      newest += step;
      step *= 2;
    }
    // Ordinals are dense: all up to the newest exist, none above.
    let absent = newest + step;
    while (absent - newest > 1) {
      const middle = newest + Math.floor((absent - newest) / 2);
      if (await this.#has(middle)) newest = middle;
      else absent = middle;
    }
    return newest;
  }

  /**
   * Creates an object whose bytes nobody else can have.
   *
   * @throws KarstError of kind `indeterminate`: it may exist, or may come to exist at any later time; else it certainly does not
   * by this call.
   */
  create(key: string, bytes: Uint8Array): Promise<"created" | "exists"> {
    const { clock, random } = this.#runtime;
    const limits = {
      attempts: this.#limits.putAttemptsMax,
      deadlineMs: this.#limits.putDeadlineMs,
    };
    return putIfAbsentResolved(this.#store, key, bytes, { clock, random, limits });
  }

  /** Numbered objects after `startAfter`. A listing may be out of date: nothing is concluded from what it does not show. */
  async *list(
    prefix: string,
    startAfter?: string,
  ): AsyncGenerator<{ readonly key: string; readonly number: number }, void> {
    for await (const { key } of this.#store.list(
      prefix,
      startAfter === undefined ? {} : { startAfter },
    )) {
      const number = numberInKey(key);
      if (number !== undefined) yield { key, number };
    }
  }

  delete(keys: readonly string[]): Promise<void> {
    return this.#store.delete(keys);
  }

  async #has(ordinal: number): Promise<boolean> {
    return (await this.#store.head(manifestKey(ordinal))) !== undefined;
  }

  async #read<T>(key: string, decode: (bytes: Uint8Array) => T): Promise<T | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      let bytes: Uint8Array;
      try {
        bytes = await this.#store.get(key);
      } catch (error) {
        if (hasCode(error, "OBJECT_NOT_FOUND")) return undefined;
        throw error;
      }
      try {
        return decode(bytes);
      } catch (error) {
        if (attempt === 2 || !hasCode(error, "CATALOGUE_CORRUPT")) throw error;
      }
    }
  }
}
