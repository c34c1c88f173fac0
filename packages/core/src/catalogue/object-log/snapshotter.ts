import { crc32c, randomId, type Runtime } from "@karst/runtime";
import type { CatalogueRow } from "../catalogue.ts";
import type { ImageSnapshot } from "../image/image.ts";
import type { CatalogueLimits } from "../limits.ts";
import type { CatalogueMetrics } from "./catalogue-metrics.ts";
import { ChunkWriter, encodeRecent } from "./chunk.ts";
import type { LogStore } from "./log-store.ts";
import {
  type ChunkReference,
  chunkKeys,
  encodeManifest,
  type Manifest,
  type RowChunk,
} from "./manifest.ts";
import { chunkKey, CHUNKS_PREFIX, LOG_PREFIX, manifestKey } from "./object-keys.ts";
import { planSnapshot } from "./snapshot-plan.ts";

/** A chunk smaller than a quarter of the target is written again with changed neighbours. */
const SMALL_FRACTION = 4;

export interface SnapshotterOptions {
  readonly store: LogStore;
  readonly runtime: Runtime;
  readonly limits: CatalogueLimits;
  readonly metrics: CatalogueMetrics;
  /** Aborting stops the work at the next pause; what is there by then is garbage that a later snapshot removes. */
  readonly signal: AbortSignal;
}

/**
 * Writes snapshots and removes what they make superfluous. Never on the way of a commit.
 *
 * The manifest after `base` is created once, by whoever comes first; it shares chunks with `base` alone. So what a manifest does
 * not share is never used again, and every deletion that follows from a manifest stays right however late it happens:
 * entries at or below its revision; chunks written for it or an earlier one that it does not name.
 */
export class Snapshotter {
  readonly #options: SnapshotterOptions;

  constructor(options: SnapshotterOptions) {
    this.#options = options;
  }

  /** Publishes the image as the manifest after `base`. @returns undefined where another builder was first, or the signal aborted. */
  async write(image: ImageSnapshot, base: Manifest | undefined): Promise<Manifest | undefined> {
    const { store, metrics, limits, signal } = this.#options;
    const ordinal = (base?.ordinal ?? 0) + 1;
    const chunks: RowChunk[] = [];
    for (const part of planSnapshot(image.rows, base, limits.chunkBytes / SMALL_FRACTION)) {
      if (part.tag === "reuse") {
        chunks.push(chunks.length === 0 ? { ...part.chunk, from: "" } : part.chunk);
        metrics.reusedChunks.add(1);
        continue;
      }
      for await (const chunk of this.#writeRange(image, ordinal, part)) {
        chunks.push(chunks.length === 0 ? { ...chunk, from: "" } : chunk);
      }
    }
    if (signal.aborted) return undefined;
    const recent = await this.#create(ordinal, encodeRecent(image.recent));
    const manifest: Manifest = {
      ordinal,
      revision: image.revision,
      entryId: image.entryId,
      recent,
      chunks,
    };
    if ((await store.create(manifestKey(ordinal), encodeManifest(manifest))) === "exists") {
      metrics.lostSnapshots.add(1);
      return undefined;
    }
    metrics.writtenSnapshots.add(1);
    return manifest;
  }

  /** Removes what the manifest, which exists, makes superfluous. Listings are hints: what they miss is removed after a later one. */
  async collect(manifest: Manifest): Promise<void> {
    const needed = chunkKeys(manifest);
    await this.#deleteWhere(LOG_PREFIX, (_key, number) => number <= manifest.revision);
    await this.#deleteWhere(
      CHUNKS_PREFIX,
      (key, ordinal) => ordinal <= manifest.ordinal && !needed.has(key),
    );
  }

  async *#writeRange(
    image: ImageSnapshot,
    ordinal: number,
    range: { readonly from: string; readonly to: string | undefined },
  ): AsyncGenerator<RowChunk, void> {
    const { limits, signal } = this.#options;
    let writer = new ChunkWriter();
    let from = range.from;
    const slice = { rows: 0, bytes: 0 };
    for (const row of image.rows.range(range.from, range.to)) {
      if (writer.bytes >= limits.chunkBytes) {
        yield { ...(await this.#create(ordinal, writer.finish())), from, rows: writer.rows };
        writer = new ChunkWriter();
        from = row.key;
      }
      writer.add(row);
      if (this.#sliceIsFull(slice, row)) await this.#pause();
      if (signal.aborted) return;
    }
    if (writer.rows > 0)
      yield { ...(await this.#create(ordinal, writer.finish())), from, rows: writer.rows };
  }

  #sliceIsFull(slice: { rows: number; bytes: number }, row: CatalogueRow): boolean {
    slice.rows += 1;
    slice.bytes += row.value.length;
    const full =
      slice.rows >= this.#options.limits.sliceRows ||
      slice.bytes >= this.#options.limits.sliceBytes;
    if (full) slice.rows = slice.bytes = 0;
    return full;
  }

  async #create(ordinal: number, bytes: Uint8Array): Promise<ChunkReference> {
    const { store, runtime, metrics } = this.#options;
    const reference = {
      ordinal,
      id: randomId(runtime.random),
      bytes: bytes.length,
      crc: crc32c(bytes),
    };
    await store.create(chunkKey(reference), bytes);
    metrics.writtenChunks.add(1);
    return reference;
  }

  async #deleteWhere(
    prefix: string,
    dead: (key: string, number: number) => boolean,
  ): Promise<void> {
    const { store, limits, signal, metrics } = this.#options;
    let keys: string[] = [];
    const flush = async (): Promise<void> => {
      if (keys.length === 0) return;
      await store.delete(keys);
      metrics.deletedObjects.add(keys.length);
      keys = [];
    };
    for await (const { key, number } of store.list(prefix)) {
      if (signal.aborted) return;
      if (dead(key, number)) keys.push(key);
      if (keys.length >= limits.deleteKeysMax) await flush();
    }
    await flush();
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#options.runtime.clock.defer(resolve));
  }
}
