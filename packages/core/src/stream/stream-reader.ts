import { hasCode, isKarstError } from "@karst/runtime";
import type { Lease } from "../cache/lease-cache.ts";
import type { LogCache } from "../cache/log-cache.ts";
import type { ObjectReads } from "../cache/object-reads.ts";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { streamOwnerRow } from "../catalogue/rows/stream-owner-row.ts";
import { streamStartRow } from "../catalogue/rows/stream-start-row.ts";
import { coreError } from "../errors.ts";
import type { Block } from "../format/object-block.ts";
import type { ObjectIndex } from "../format/object-index.ts";
import { type BatchRoom, JoinedRead, takeBatches } from "./joined-read.ts";
import type { ReadAhead } from "./read-ahead.ts";
import type { Reference, References } from "./references.ts";
import type { ReadOptions, StreamBatch, StreamRead } from "./stream.ts";
import type { StreamLog } from "./stream-log.ts";

export interface StreamReaderOptions {
  readonly cache: LogCache;
  readonly objects: ObjectReads;
  readonly readAhead: ReadAhead;
  readonly references: References;
  readonly catalogue: Catalogue;
}

/** What a read goes by. */
export type ReadableLog = Pick<StreamLog, "streamId" | "logStartOffset" | "highWatermark">;

/** Offsets of a batch. */
export interface FoundBatch {
  readonly baseOffset: number;
  readonly endOffset: number;
}

/** A block of a stream, and the reference it was found through. */
interface FoundBlock {
  readonly lease: Lease<Block>;
  readonly reference: Reference;
}

/** What a search does next: `offset` is where to go on. */
type SearchStep =
  | { readonly tag: "found"; readonly batch: FoundBatch }
  | { readonly tag: "on"; readonly offset: number };

/**
 * Reads streams: from the log cache where it reaches, else from objects, joined without a gap. Nothing at or above the high
 * watermark of the call, nor above the caller's bound, is ever returned.
 */
export class StreamReader {
  readonly #cache: LogCache;
  readonly #objects: ObjectReads;
  readonly #readAhead: ReadAhead;
  readonly #references: References;
  readonly #catalogue: Catalogue;

  constructor(options: StreamReaderOptions) {
    this.#cache = options.cache;
    this.#objects = options.objects;
    this.#readAhead = options.readAhead;
    this.#references = options.references;
    this.#catalogue = options.catalogue;
  }

  /** @throws as `Stream.readCached`. */
  readCached(log: ReadableLog, options: ReadOptions): StreamRead | undefined {
    const before = boundOf(log, options);
    if (options.from >= before) return new JoinedRead([], options.from, [], undefined);
    return this.#cache.read(log.streamId, { ...options, before });
  }

  /** @throws as `Stream.read`. */
  async read(log: ReadableLog, options: ReadOptions): Promise<StreamRead> {
    options.signal?.throwIfAborted();
    return (
      this.readCached(log, options) ??
      this.#readCold(log, { ...options, before: boundOf(log, options) })
    );
  }

  /** @throws as `Stream.findByTimestamp`. */
  async findByTimestamp(log: ReadableLog, timestampMs: number): Promise<FoundBatch | undefined> {
    let offset = log.logStartOffset;
    for (let reference = this.#candidate(log, offset, timestampMs); reference !== undefined;) {
      const from = Math.max(offset, reference.start);
      const step = await this.#searchFrom(log, from, timestampMs);
      if (step.tag === "found") return step.batch;
      offset = Math.max(step.offset, log.logStartOffset);
      reference = this.#candidate(log, offset, timestampMs);
    }
    // No await since the references were looked at: what they do not hold is in the log cache.
    return this.#searchCache(log, timestampMs);
  }

  async #readCold(
    log: ReadableLog,
    options: ReadOptions & { readonly before: number },
  ): Promise<StreamRead> {
    const batches: StreamBatch[] = [];
    const leases: Lease<Block>[] = [];
    let room: BatchRoom = { offset: options.from, before: options.before, bytes: options.bytesMax };
    let window = this.#readAhead.begin(log.streamId, options.from);
    try {
      while (room.offset < room.before && (room.bytes > 0 || batches.length === 0)) {
        const cached = this.#cache.read(log.streamId, {
          from: room.offset,
          before: room.before,
          bytesMax: room.bytes,
          ...(batches.length > 0 && { strict: true }),
        });
        if (cached !== undefined)
          return new JoinedRead([...batches, ...cached.batches], cached.nextOffset, leases, cached);
        const found = await this.#blockAt(log, room.offset, window, options.signal);
        window = found.window;
        const count = batches.length;
        const taken = takeBatches(found.lease.value, found.reference.end, room, batches);
        // Nothing of it is wanted where it ends in a hole: the next block may need its room.
        if (batches.length > count) leases.push(found.lease);
        else found.lease.release();
        room = taken;
        if (taken.full) break;
      }
    } catch (error) {
      // Memory is short: what was read so far is an answer too.
      if (!hasCode(error, "MEMORY_BUDGET_EXCEEDED") || batches.length === 0) {
        for (const lease of leases) lease.release();
        throw error;
      }
    }
    this.#readAhead.end(log.streamId, room.offset, window);
    return new JoinedRead(batches, room.offset, leases, undefined);
  }

  /** The block that holds `offset`, and the read-ahead window that is left after using it. */
  #blockAt(
    log: ReadableLog,
    offset: number,
    window: number,
    signal: AbortSignal | undefined,
  ): Promise<FoundBlock & { readonly window: number }> {
    return this.#retrying(log, offset, async () => {
      const reference = this.#referenceAt(log, offset);
      const index = await this.#objects.index(reference.object, signal);
      try {
        const i = blockAt(index.value, reference, offset);
        const lease = await this.#objects.block(reference.object, index.value.entry(i), signal);
        return {
          lease,
          reference,
          window: this.#readAhead.fetch(reference.object, index.value, i, window),
        };
      } finally {
        index.release();
      }
    });
  }

  /**
   * Runs a look at objects; what has gone missing may have been replaced, and then the newest image says by what.
   *
   * @throws KarstError `OBJECT_MISSING` (`corrupt`): the newest image references it and the store does not have it.
   */
  async #retrying<T>(log: ReadableLog, offset: number, look: () => Promise<T>): Promise<T> {
    try {
      return await look();
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    await this.#catalogue.refresh();
    this.#references.load(this.#catalogue);
    checkStart(log, offset);
    try {
      return await look();
    } catch (error) {
      if (!isMissing(error)) throw error;
      checkStart(log, offset);
      throw coreError(
        "OBJECT_MISSING",
        `stream ${log.streamId} at offset ${offset}: ${error.message}`,
        error,
      );
    }
  }

  /** @throws KarstError `OFFSET_OUT_OF_RANGE` (`out_of_range`), `STREAM_FENCED` (`fenced`): the image says why there is none; else `OBJECT_MISSING`. */
  #referenceAt(log: ReadableLog, offset: number): Reference {
    const references = this.#references.of(log.streamId);
    const reference = references.at(references.firstEndingAbove(offset));
    if (reference !== undefined && reference.start <= offset) return reference;
    checkImage(this.#catalogue, log.streamId, offset);
    throw coreError("OBJECT_MISSING", `no object holds offset ${offset} of stream ${log.streamId}`);
  }

  /** The first reference that reaches above `offset` and may hold what is searched. */
  #candidate(log: ReadableLog, offset: number, timestampMs: number): Reference | undefined {
    const references = this.#references.of(log.streamId);
    let i = references.firstEndingAbove(offset);
    while (i < references.length && (references.at(i) as Reference).maxTimestampMs < timestampMs)
      i += 1;
    return references.at(i);
  }

  /** A trim that overtakes the search ends it no more than it ends the stream. */
  async #searchFrom(log: ReadableLog, from: number, timestampMs: number): Promise<SearchStep> {
    try {
      return await this.#retrying(log, from, () => this.#searchReference(log, from, timestampMs));
    } catch (error) {
      if (!isKarstError(error, "out_of_range")) throw error;
      return { tag: "on", offset: publishedStart(this.#catalogue, log.streamId) };
    }
  }

  /** Looks into the first block from `from` on, within one reference, that may hold what is searched. */
  async #searchReference(log: ReadableLog, from: number, timestampMs: number): Promise<SearchStep> {
    const reference = this.#referenceAt(log, from);
    const index = await this.#objects.index(reference.object);
    try {
      let i: number | undefined = blockAt(index.value, reference, from);
      while (i !== undefined && index.value.entry(i).maxTimestampMs < timestampMs)
        i = index.value.nextData(i);
      const entry = i === undefined ? undefined : index.value.entry(i);
      if (entry === undefined || entry.startOffset >= reference.end)
        return { tag: "on", offset: reference.end };
      const block = await this.#objects.block(reference.object, entry);
      const batch = searchBlock(block.value, {
        from: Math.max(from, log.logStartOffset),
        before: log.highWatermark,
        timestampMs,
      });
      block.release();
      return batch === undefined ? { tag: "on", offset: entry.endOffset } : { tag: "found", batch };
    } finally {
      index.release();
    }
  }

  #searchCache(log: ReadableLog, timestampMs: number): FoundBatch | undefined {
    for (const run of this.#cache.runsOf(log.streamId)) {
      for (const entry of run.entries) {
        const readable =
          entry.payload.length > 0 &&
          entry.endOffset > log.logStartOffset &&
          entry.endOffset <= log.highWatermark;
        if (readable && entry.maxTimestampMs >= timestampMs)
          return { baseOffset: entry.baseOffset, endOffset: entry.endOffset };
      }
    }
    return undefined;
  }
}

/** @throws KarstError `OFFSET_OUT_OF_RANGE` (`out_of_range`). */
function boundOf(log: ReadableLog, options: ReadOptions): number {
  checkStart(log, options.from);
  if (options.from > log.highWatermark) {
    throw coreError(
      "OFFSET_OUT_OF_RANGE",
      `offset ${options.from} is above the high watermark of stream ${log.streamId}, ${log.highWatermark}`,
    );
  }
  return Math.min(options.before ?? log.highWatermark, log.highWatermark);
}

/**
 * What the image has of a stream may be ahead of what its owner knows: a trim or deletion is in it before its answer has come.
 *
 * @throws KarstError `OFFSET_OUT_OF_RANGE` (`out_of_range`), `STREAM_FENCED` (`fenced`).
 */
function checkImage(catalogue: Catalogue, streamId: number, offset: number): void {
  if (streamOwnerRow.get(catalogue, streamId) === undefined)
    throw coreError("STREAM_FENCED", `stream ${streamId} is deleted`);
  const start = publishedStart(catalogue, streamId);
  if (offset < start) throw belowStart(streamId, offset, start);
}

function publishedStart(catalogue: Catalogue, streamId: number): number {
  return streamStartRow.get(catalogue, streamId)?.value.offset ?? 0;
}

function checkStart(log: ReadableLog, offset: number): void {
  if (offset < log.logStartOffset) throw belowStart(log.streamId, offset, log.logStartOffset);
}

function belowStart(streamId: number, offset: number, start: number): Error {
  return coreError(
    "OFFSET_OUT_OF_RANGE",
    `offset ${offset} is below the start of stream ${streamId}, ${start}`,
  );
}

function isMissing(error: unknown): error is Error {
  return isKarstError(error, "not_found") || hasCode(error, "OBJECT_MISSING");
}

/** Position in the index of the block that holds `offset`, which the reference says is there. */
function blockAt(index: ObjectIndex, reference: Reference, offset: number): number {
  const i = index.findData(reference.sourceStreamId, offset);
  if (i !== undefined && index.entry(i).startOffset <= offset) return i;
  throw coreError(
    "OBJECT_CORRUPT",
    `${reference.object.key} has no block for offset ${offset} of stream ${reference.sourceStreamId}`,
  );
}

function searchBlock(
  block: Block,
  wanted: { readonly from: number; readonly before: number; readonly timestampMs: number },
): FoundBatch | undefined {
  for (let at = block.seek(wanted.from); at < block.bytes.length; at = block.next(at)) {
    if (block.endAt(at) > wanted.before) return undefined;
    if (block.maxTimestampAt(at) < wanted.timestampMs) continue;
    const { baseOffset, endOffset } = block.batch(at);
    return { baseOffset, endOffset };
  }
  return undefined;
}
