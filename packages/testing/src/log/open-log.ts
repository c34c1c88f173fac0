import type { PartitionLog, Stream, StreamBatch, StreamState } from "@karst/core";
import { encodeBatch } from "@karst/records";
import { getInt64, setInt64, utf8Encode, viewOf } from "@karst/runtime";

/** What is to be appended. */
export interface Draft {
  /** Says what it is: in the bytes, so that a read proves where they came from. */
  readonly id: string;
  readonly count: number;
  /** About as many bytes. */
  readonly bytes: number;
  /** Offsets left out before it; streams only. */
  readonly gap: number;
  /** Of the first record. */
  readonly timestampMs: number;
  /** From one record's time to the next one's. Default 0. */
  readonly stepMs?: number;
  /** Only where the log ends there; partitions only. */
  readonly ifOffset?: number;
  readonly producer?: {
    readonly id: number;
    readonly epoch: number;
    readonly baseSequence: number;
  };
}

/** What became of it at once. */
export interface Taken {
  readonly baseOffset: number;
  readonly endOffset: number;
  /** As it is stored. Ours. */
  readonly stored: Uint8Array;
  readonly duplicate: boolean;
  readonly durable: Promise<void>;
}

export interface Read {
  readonly batches: readonly StreamBatch[];
  readonly nextOffset: number;
  release(): void;
}

/** A partition log or a raw stream, open in one process. */
export interface OpenLog {
  readonly logStartOffset: number;
  readonly highWatermark: number;
  readonly logEndOffset: number;
  append(draft: Draft): Taken;
  read(options: {
    readonly from: number;
    readonly bytesMax: number;
    readonly signal?: AbortSignal;
  }): Promise<Read>;
  trim(before: number): Promise<void>;
  onAdvance(listener: () => void): () => void;
  /** The first record of at least this time; of a raw stream, the first of its batch. */
  find(timestampMs: number): Promise<{ readonly offset: number } | undefined>;
  close(): Promise<void>;
}

export function openPartition(log: PartitionLog): OpenLog {
  return {
    get logStartOffset() {
      return log.logStartOffset;
    },
    get highWatermark() {
      return log.highWatermark;
    },
    get logEndOffset() {
      return log.logEndOffset;
    },
    append(draft) {
      const batch = batchOf(draft);
      const { baseOffset, lastOffset, duplicate, durable } = log.append(
        batch,
        draft.ifOffset === undefined ? {} : { ifOffset: draft.ifOffset },
      );
      const stored = batch.slice();
      // The caller's buffer is the caller's again.
      batch.fill(0xee);
      return { baseOffset, endOffset: lastOffset + 1, stored, duplicate, durable };
    },
    read: (options) => log.read({ ...options, isolation: "read_uncommitted" }),
    trim: (before) => log.trim(before),
    onAdvance: (listener) => log.onAdvance(listener),
    find: (timestampMs) => log.offsetForTimestamp(timestampMs),
    close: () => log.close(),
  };
}

export function openStream(log: Stream, state: DigestState): OpenLog {
  return {
    get logStartOffset() {
      return log.logStartOffset;
    },
    get highWatermark() {
      return log.highWatermark;
    },
    get logEndOffset() {
      return log.logEndOffset;
    },
    append(draft) {
      const payload = utf8Encode(`${draft.id}.`.padEnd(draft.bytes, "x"));
      const { count, gap } = draft;
      const maxTimestampMs = Math.max(...timesOf(draft));
      const at = log.logEndOffset + gap;
      const taken = log.append({ payload, count, maxTimestampMs, baseOffset: at });
      const { baseOffset, endOffset, durable } = taken;
      const stored = payload.slice();
      payload.fill(0xee);
      state.apply({ baseOffset, endOffset });
      return { baseOffset, endOffset, stored, duplicate: false, durable };
    },
    read: (options) => log.read(options),
    trim: (before) => log.trim(before),
    onAdvance: (listener) => log.onAdvance(listener),
    async find(timestampMs) {
      const found = await log.findByTimestamp(timestampMs);
      return found && { offset: found.baseOffset };
    },
    close: () => log.close(),
  };
}

/** Of its records, in order. */
export function timesOf({
  count,
  timestampMs,
  stepMs = 0,
}: Pick<Draft, "count" | "timestampMs" | "stepMs">): readonly number[] {
  return Array.from({ length: count }, (_, i) => timestampMs + i * stepMs);
}

function batchOf(draft: Draft): Uint8Array {
  const { id, count, bytes, producer } = draft;
  const records = timesOf(draft).map((timestampMs, i) => ({
    value: utf8Encode(`${id}/${i}.`.padEnd(Math.floor(bytes / count), "x")),
    timestampMs,
  }));
  return encodeBatch(records, producer && { producer });
}

/** Of the places of all batches ever appended, in order: to compare with what was remembered. */
export class DigestState implements StreamState {
  #digest = 0;
  #end = 0;

  get value(): string {
    return `${this.#digest}@${this.#end}`;
  }

  encode(): Uint8Array | undefined {
    if (this.#end === 0) return undefined;
    const bytes = new Uint8Array(16);
    setInt64(viewOf(bytes), 0, this.#digest);
    setInt64(viewOf(bytes), 8, this.#end);
    return bytes;
  }

  restore(state: Uint8Array | undefined): void {
    if (state === undefined) return;
    this.#digest = getInt64(viewOf(state), 0);
    this.#end = getInt64(viewOf(state), 8);
  }

  apply(batch: BatchPlace): void {
    this.#digest = (this.#digest * 31 + batch.baseOffset) % 1_000_003;
    this.#end = batch.endOffset;
  }

  /** What it would come to after these. */
  plus(batches: Iterable<BatchPlace>): string {
    const sum = new DigestState();
    sum.#digest = this.#digest;
    sum.#end = this.#end;
    for (const batch of batches) sum.apply(batch);
    return sum.value;
  }
}

interface BatchPlace {
  readonly baseOffset: number;
  readonly endOffset: number;
}

/** The offset at a fraction of what there is to read. */
export function within(log: OpenLog, where: number): number {
  return log.logStartOffset + Math.floor(where * (log.highWatermark - log.logStartOffset));
}
