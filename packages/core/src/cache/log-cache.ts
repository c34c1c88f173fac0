import { assert, type MemoryBudget, type Slab } from "@karst/runtime";
import { WAL_START, type WalPosition } from "@karst/wal";
import type { ReadOptions, StreamBatch, StreamRead } from "../stream/stream.ts";
import { STREAMS_PER_UPLOAD_MAX } from "../limits.ts";
import { type CacheEntry, ENTRY_OVERHEAD_BYTES, Generation, type Run } from "./generation.ts";

/**
 * The tail of every stream in memory, as generations of WAL frames: staging for uploads, and what tail reads are served from
 * without a copy.
 *
 * Invariants: generations are in WAL order, `uploaded` ones before `cut` ones before the one `open` one. A stream's runs are
 * contiguous over its generations. Only `uploaded` generations are evicted, oldest first, so a stream loses its front only.
 * The overhead of every entry is reserved from the memory budget; the payloads are, by their slabs.
 */
export class LogCache {
  readonly #memory: MemoryBudget;
  readonly #generations: Generation[] = [];
  readonly #tails = new Map<number, Run[]>();
  #open: Generation;
  #unuploadedBytes = 0;

  constructor(memory: MemoryBudget, start: WalPosition = WAL_START) {
    this.#memory = memory;
    this.#open = new Generation(start);
  }

  /** Payloads and overhead of everything that is in no object yet. */
  get unuploadedBytes(): number {
    return this.#unuploadedBytes;
  }

  /** Of the generation that takes entries. */
  get openBytes(): number {
    return this.#open.bytes;
  }

  /** Whether the open generation holds as much as one upload is meant to carry. */
  isFull(uploadBytes: number): boolean {
    return this.#open.bytes >= uploadBytes || this.#open.runs.size >= STREAMS_PER_UPLOAD_MAX;
  }

  /**
   * Takes the overhead of one entry from the budget, runs what appends its frame, and gives it back if that throws.
   *
   * @throws KarstError `MEMORY_BUDGET_EXCEEDED` (`unavailable`), with nothing run.
   */
  reserving<T>(append: () => T): T {
    this.#memory.reserve(ENTRY_OVERHEAD_BYTES, "log cache");
    try {
      return append();
    } catch (error) {
      this.#memory.release(ENTRY_OVERHEAD_BYTES);
      throw error;
    }
  }

  /** Adds a frame, whose overhead is reserved, and takes over its reference to the slab. */
  add(streamId: number, entry: CacheEntry, end: WalPosition): void {
    const run = this.#open.add(streamId, entry, end);
    this.#unuploadedBytes += entry.payload.length + ENTRY_OVERHEAD_BYTES;
    if (run === undefined) return;
    const tail = this.#tails.get(streamId);
    if (tail === undefined) {
      this.#tails.set(streamId, [run]);
      return;
    }
    const last = tail.at(-1);
    assert(
      last === undefined || last.endOffset === run.startOffset,
      `stream ${streamId} is not contiguous in the log cache`,
    );
    tail.push(run);
  }

  /** Ends the open generation and begins another; undefined: it is empty. */
  cut(): Generation | undefined {
    const cut = this.#open;
    if (cut.entryCount === 0) return undefined;
    cut.tag = "cut";
    this.#generations.push(cut);
    this.#open = new Generation(cut.endPosition);
    return cut;
  }

  /** The generation is in objects that the catalogue references: it may be evicted from now on. */
  uploaded(generation: Generation): void {
    assert(generation.tag === "cut", "uploaded a generation that was not cut");
    generation.tag = "uploaded";
    generation.states.clear();
    this.#unuploadedBytes -= generation.bytes;
  }

  /** Evicts the oldest uploaded generation; false: there is none. */
  evict(): boolean {
    const oldest = this.#generations[0];
    if (oldest?.tag !== "uploaded") return false;
    this.#generations.shift();
    this.#drop(oldest);
    return true;
  }

  /** First offset of the stream in memory; undefined: none is. */
  startOf(streamId: number): number | undefined {
    return this.#tails.get(streamId)?.[0]?.startOffset;
  }

  /** The runs of a stream, contiguous. */
  runsOf(streamId: number): readonly Run[] {
    return this.#tails.get(streamId) ?? [];
  }

  /**
   * Batches from `from` on, none reaching over `before`; undefined where `from` is not in memory. Holds slabs until released.
   * At `before` or at the end of what is in memory the read is empty.
   *
   * @param options.strict also the first batch is left out where it is larger than `bytesMax`.
   */
  read(
    streamId: number,
    options: Omit<ReadOptions, "signal"> & { readonly before: number; readonly strict?: boolean },
  ): StreamRead | undefined {
    const { from, before, bytesMax, strict = false } = options;
    const tail = this.#tails.get(streamId);
    const first = tail?.[0];
    const last = tail?.at(-1);
    if (tail === undefined || first === undefined || last === undefined) return undefined;
    if (from < first.startOffset || from > last.endOffset) return undefined;
    const batches: StreamBatch[] = [];
    const slabs: Slab[] = [];
    const nextOffset = collect(tail, { from, before, bytesMax, strict }, batches, slabs);
    return new CachedRead(batches, nextOffset, slabs);
  }

  /** Gives everything back, at the end of the engine. */
  clear(): void {
    for (const generation of this.#generations.splice(0)) this.#drop(generation);
    this.#drop(this.#open);
    this.#open = new Generation(this.#open.endPosition);
    this.#unuploadedBytes = 0;
  }

  #drop(generation: Generation): void {
    for (const run of generation.runs.values()) {
      const tail = this.#tails.get(run.streamId);
      assert(tail?.[0] === run, `stream ${run.streamId} is evicted out of order`);
      tail.shift();
      if (tail.length === 0) this.#tails.delete(run.streamId);
    }
    this.#memory.release(generation.overheadBytes);
    generation.release();
  }
}

/** Walks the runs from `from`; returns where to read on. */
function collect(
  tail: readonly Run[],
  options: {
    readonly from: number;
    readonly before: number;
    readonly bytesMax: number;
    readonly strict: boolean;
  },
  batches: StreamBatch[],
  slabs: Slab[],
): number {
  let nextOffset = options.from;
  let bytes = 0;
  for (const run of tail) {
    if (run.endOffset <= nextOffset) continue;
    for (let i = firstEndingAbove(run.entries, nextOffset); i < run.entries.length; i += 1) {
      const entry = run.entries[i] as CacheEntry;
      if (entry.endOffset > options.before) {
        // A hole that reaches over the bound is no reason to stand still below it.
        return entry.payload.length === 0
          ? Math.max(nextOffset, Math.min(entry.endOffset, options.before))
          : nextOffset;
      }
      if (entry.payload.length > 0) {
        if (
          (batches.length > 0 || options.strict) &&
          bytes + entry.payload.length > options.bytesMax
        )
          return nextOffset;
        bytes += entry.payload.length;
        batches.push(entry);
        if (slabs.at(-1) !== entry.slab) {
          entry.slab.retain();
          slabs.push(entry.slab);
        }
      }
      nextOffset = entry.endOffset;
    }
  }
  return nextOffset;
}

function firstEndingAbove(entries: readonly CacheEntry[], offset: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle] as CacheEntry).endOffset <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

class CachedRead implements StreamRead {
  readonly batches: readonly StreamBatch[];
  readonly nextOffset: number;
  #slabs: readonly Slab[] | undefined;

  constructor(batches: readonly StreamBatch[], nextOffset: number, slabs: readonly Slab[]) {
    this.batches = batches;
    this.nextOffset = nextOffset;
    this.#slabs = slabs;
  }

  release(): void {
    const slabs = this.#slabs;
    assert(slabs !== undefined, "released a read twice");
    this.#slabs = undefined;
    for (const slab of slabs) slab.release();
  }
}
