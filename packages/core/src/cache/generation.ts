import type { Slab } from "@karst/runtime";
import type { WalPosition } from "@karst/wal";
import type { StreamBatch } from "../stream/stream.ts";

/** Charged per entry beside its payload: what the entry itself costs the heap. Tiny batches would blow it otherwise. */
export const ENTRY_OVERHEAD_BYTES: number = 256;

/** One WAL frame in memory. An empty payload is a hole: offsets that no batch occupies. */
export interface CacheEntry extends StreamBatch {
  readonly slab: Slab;
}

/** One stream's entries of one generation, contiguous: each begins where the one before it ends. */
export interface Run {
  readonly streamId: number;
  readonly startOffset: number;
  endOffset: number;
  /** Payload bytes. */
  bytes: number;
  readonly entries: CacheEntry[];
}

/**
 * A stretch of the WAL in memory: what one upload carries. `open` takes entries; `cut` is complete and waits for its upload, cannot
 * be evicted; `uploaded` serves reads until memory is short.
 *
 * Invariants: entries come in WAL order; each distinct slab of the entries is held once, until `release`.
 */
export class Generation {
  readonly runs: Map<number, Run> = new Map();
  /** State blocks captured at the cut, by stream. */
  readonly states: Map<number, Uint8Array> = new Map();
  tag: "open" | "cut" | "uploaded" = "open";
  /** Payloads and overhead. */
  bytes = 0;
  entryCount = 0;
  /** Position after the last entry. */
  endPosition: WalPosition;
  readonly #slabs: Slab[] = [];

  constructor(startPosition: WalPosition) {
    this.endPosition = startPosition;
  }

  get overheadBytes(): number {
    return this.entryCount * ENTRY_OVERHEAD_BYTES;
  }

  /** Adds an entry and takes over its reference to the slab. Returns the run where it is the stream's first here. */
  add(streamId: number, entry: CacheEntry, end: WalPosition): Run | undefined {
    if (this.#slabs.at(-1) === entry.slab) entry.slab.release();
    else this.#slabs.push(entry.slab);
    const bytes = entry.payload.length;
    this.bytes += bytes + ENTRY_OVERHEAD_BYTES;
    this.entryCount += 1;
    this.endPosition = end;
    const run = this.runs.get(streamId);
    if (run !== undefined) {
      run.entries.push(entry);
      run.endOffset = entry.endOffset;
      run.bytes += bytes;
      return undefined;
    }
    const first: Run = {
      streamId,
      startOffset: entry.baseOffset,
      endOffset: entry.endOffset,
      bytes,
      entries: [entry],
    };
    this.runs.set(streamId, first);
    return first;
  }

  release(): void {
    for (const slab of this.#slabs) slab.release();
    this.#slabs.length = 0;
    this.runs.clear();
    this.states.clear();
  }
}
