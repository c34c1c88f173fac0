import { crc32c, isKarstError, type MemoryBudget } from "@karst/runtime";
import type { ObjectStore } from "@karst/objectstore";
import type { EngineMetrics } from "../engine-metrics.ts";
import { coreError } from "../errors.ts";
import { Block } from "../format/object-block.ts";
import { decodeFooter } from "../format/object-footer.ts";
import { type BlockEntry, ObjectIndex } from "../format/object-index.ts";
import type { StoredObject } from "../stream/references.ts";
import { type Lease, LeaseCache } from "./lease-cache.ts";

export interface ObjectReadsOptions {
  readonly store: ObjectStore;
  readonly memory: MemoryBudget;
  readonly metrics: EngineMetrics;
  readonly blockCacheBytes: number;
  readonly indexCacheBytes: number;
  /** Ends the loads at the end of the engine. */
  readonly signal: AbortSignal;
}

/**
 * Indexes and blocks of objects, read once for all who wait, checked before they are kept, and kept within their bounds.
 *
 * Every call rejects with `OBJECT_NOT_FOUND` (`not_found`) where the store has no such object: it may have been compacted away;
 * `OBJECT_CORRUPT` (`corrupt`) where its bytes are wrong, twice; `MEMORY_BUDGET_EXCEEDED` (`unavailable`); the store's `unavailable`.
 */
export class ObjectReads {
  readonly #store: ObjectStore;
  readonly #signal: AbortSignal;
  readonly #blocks: LeaseCache<Block>;
  readonly #indexes: LeaseCache<ObjectIndex>;
  readonly #metrics: EngineMetrics;

  constructor(options: ObjectReadsOptions) {
    this.#store = options.store;
    this.#signal = options.signal;
    this.#metrics = options.metrics;
    const { memory } = options;
    this.#blocks = new LeaseCache({
      memory,
      bytesMax: options.blockCacheBytes,
      holder: "block cache",
    });
    this.#indexes = new LeaseCache({
      memory,
      bytesMax: options.indexCacheBytes,
      holder: "object index cache",
    });
  }

  index(object: StoredObject, signal?: AbortSignal): Promise<Lease<ObjectIndex>> {
    const load = (): Promise<ObjectIndex> =>
      this.#checked(object, object.indexPosition, object.bytes, (tail) => {
        const footer = decodeFooter(tail, object.bytes);
        if (footer.indexPosition !== object.indexPosition) {
          throw coreError("OBJECT_CORRUPT", "its index is not where the catalogue says");
        }
        return new ObjectIndex(tail.subarray(0, footer.indexBytes), footer);
      });
    return this.#indexes.acquire(object.key, object.bytes - object.indexPosition, load, signal);
  }

  block(object: StoredObject, entry: BlockEntry, signal?: AbortSignal): Promise<Lease<Block>> {
    return this.#blocks.acquire(
      blockKey(object, entry),
      entry.bytes,
      () => this.#loadBlock(object, entry),
      signal,
    );
  }

  /** Begins to read a block that will be wanted; false: memory is short. */
  prefetch(object: StoredObject, entry: BlockEntry): boolean {
    return this.#blocks.prefetch(blockKey(object, entry), entry.bytes, () =>
      this.#loadBlock(object, entry),
    );
  }

  /** A state block's bytes, not kept. */
  state(object: StoredObject, entry: BlockEntry): Promise<Uint8Array> {
    return this.#checked(object, entry.position, entry.position + entry.bytes, (bytes) => {
      if (bytes.length !== entry.bytes || crc32c(bytes) !== entry.crc)
        throw coreError("OBJECT_CORRUPT", "state block: wrong length or CRC");
      return bytes;
    });
  }

  /** Gives back what nobody uses; false: there is nothing. */
  evict(): boolean {
    return this.#blocks.evict() || this.#indexes.evict();
  }

  clear(): void {
    this.#blocks.clear();
    this.#indexes.clear();
  }

  #loadBlock(object: StoredObject, entry: BlockEntry): Promise<Block> {
    return this.#checked(
      object,
      entry.position,
      entry.position + entry.bytes,
      (bytes) => new Block(bytes, entry),
    );
  }

  /** Reads and checks; what fails its check is read once more, past whatever spoiled it on the way. */
  async #checked<T>(
    object: StoredObject,
    start: number,
    end: number,
    check: (bytes: Uint8Array) => T,
  ): Promise<T> {
    try {
      return check(await this.#get(object, start, end));
    } catch (error) {
      if (!isKarstError(error, "corrupt")) throw error;
      this.#metrics.objectChecksFailed.add(1);
    }
    try {
      return check(await this.#get(object, start, end));
    } catch (error) {
      if (!isKarstError(error, "corrupt")) throw error;
      this.#metrics.objectChecksFailed.add(1);
      throw coreError(
        "OBJECT_CORRUPT",
        `${object.key} in ${this.#store.location}, bytes ${start} to ${end}: ${error.message}`,
        error,
      );
    }
  }

  async #get(object: StoredObject, start: number, end: number): Promise<Uint8Array> {
    if (start === end) return new Uint8Array(0);
    this.#metrics.objectGets.add(1);
    try {
      return await this.#store.get(object.key, { range: { start, end }, signal: this.#signal });
    } catch (error) {
      if (!isKarstError(error, "out_of_range")) throw error;
      throw coreError("OBJECT_CORRUPT", "it is shorter than the catalogue says", error);
    }
  }
}

/** By what a block holds, not by its position: one of no bytes has the same as the one after it. */
function blockKey(object: StoredObject, entry: BlockEntry): string {
  return `${object.key}@${entry.streamId}:${entry.startOffset}`;
}
