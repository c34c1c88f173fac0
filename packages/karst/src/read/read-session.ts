import { coreError, type Isolation, type PartitionLog, type PartitionRead } from "@karst/core";
import {
  type BatchRecords,
  CODEC_MASK,
  openBatch,
  openBatchAsync,
  readAttributes,
  UNOPENABLE,
} from "@karst/records";
import { assert, copyOf, hasCode, viewOf } from "@karst/runtime";
import type { Codec } from "../api/codec.ts";
import type { Positions, TopicRecord } from "../api/record.ts";
import type { ReadSession } from "../api/session.ts";
import type { CreateOptions, ReadOptions } from "../api/topic.ts";
import type { EngineContext } from "../engine-context.ts";
import { karstError } from "../errors.ts";
import { READ_BYTES_MAX } from "../limits.ts";
import { CommittedFilter } from "./committed.ts";
import { ReadRecord, type RecordContext } from "./record.ts";
import { planRead, startOffset } from "./start.ts";

export interface ReadSource<Value, Key> extends CreateOptions {
  readonly topic: string;
  readonly autoCreate: boolean;
  readonly valueCodec: Codec<Value, never>;
  readonly keyCodec: Codec<Key, never>;
}

/** One partition of a reading. */
interface Cursor {
  readonly log: PartitionLog;
  /** Exclusive bound of a reading that does not follow. */
  readonly end: number;
  /** Whether nothing was read yet, and a trim only moves the start. */
  floating: boolean;
  /** Next offset to read from the log. */
  next: number;
  /** Next offset after what was handed out; ≤ next. */
  handed: number;
}

interface Opened {
  readonly cursors: readonly Cursor[];
  readonly partial: boolean;
}

/**
 * A reading of some partitions of a topic, in turn.
 *
 * Invariants: opens once, at the call, so that "latest" and the end are those of the call; a failed opening is tried again by the
 * next step. `#buffer` from `#at` on was read and not handed out, all of one partition; the log is read only when it is empty.
 */
export class TopicReadSession<Value, Key> implements ReadSession<Value, Key> {
  readonly #context: EngineContext;
  readonly #source: ReadSource<Value, Key>;
  readonly #options: ReadOptions;
  readonly #isolation: Isolation;
  #opening: Promise<Opened>;
  #opened: Opened | undefined;
  #buffer: readonly TopicRecord<Value, Key>[] = [];
  #at = 0;
  /** Whose records are in the buffer. */
  #current: Cursor | undefined;
  /** Index of the cursor whose turn it is. */
  #turn = 0;
  #closed = false;
  /** Ends a pending wait. */
  #wake: () => void = () => undefined;

  constructor(context: EngineContext, source: ReadSource<Value, Key>, options: ReadOptions) {
    this.#context = context;
    this.#source = source;
    this.#options = options;
    this.#isolation = options.isolation ?? "read_committed";
    this.#opening = this.#open();
    // Whoever takes the first step is told.
    this.#opening.catch(() => undefined);
  }

  get positions(): Positions | undefined {
    return this.#each((cursor) => cursor.handed);
  }

  get tail(): Positions | undefined {
    return this.#each((cursor) => cursor.log.highWatermark);
  }

  async nextBatch(): Promise<readonly TopicRecord<Value, Key>[] | undefined> {
    if (!(await this.#fill())) return undefined;
    const batch = this.#at === 0 ? this.#buffer : this.#buffer.slice(this.#at);
    this.#drained();
    return batch;
  }

  close(): Promise<void> {
    this.#end();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<TopicRecord<Value, Key>, undefined> {
    return {
      next: () => {
        // The common case costs no await of ours.
        if (this.#at < this.#buffer.length && !this.#halted()) return Promise.resolve(this.#take());
        return this.#fill().then((more) =>
          more ? this.#take() : { done: true as const, value: undefined },
        );
      },
      return: () => {
        this.#end();
        return Promise.resolve({ done: true as const, value: undefined });
      },
    };
  }

  #halted(): boolean {
    return this.#closed || this.#options.signal?.aborted === true;
  }

  #end(): void {
    this.#closed = true;
    this.#buffer = [];
    this.#at = 0;
    this.#wake();
  }

  #take(): IteratorYieldResult<TopicRecord<Value, Key>> {
    const record = this.#buffer[this.#at];
    assert(record !== undefined && this.#current !== undefined, "a filled buffer has a record");
    this.#at += 1;
    this.#current.handed = record.offset + 1;
    if (this.#at === this.#buffer.length) this.#drained();
    return { done: false, value: record };
  }

  /** Everything in the buffer was handed out. */
  #drained(): void {
    if (this.#current !== undefined) this.#current.handed = this.#current.next;
    this.#buffer = [];
    this.#at = 0;
  }

  /** Reads until there is a record to hand out; false at the end. */
  async #fill(): Promise<boolean> {
    for (;;) {
      this.#options.signal?.throwIfAborted();
      if (this.#closed) return false;
      if (this.#at < this.#buffer.length) return true;
      const { cursors } = await this.#openedOnce();
      const read = await this.#readNext(cursors);
      if (read === "advanced") continue;
      if (this.#options.follow !== true) return false;
      if (!this.#halted()) await this.#wait(cursors);
    }
  }

  /** Reads from the first cursor, in turn, that has something to read. */
  async #readNext(cursors: readonly Cursor[]): Promise<"advanced" | "nothing"> {
    for (let step = 0; step < cursors.length; step += 1) {
      const index = (this.#turn + step) % cursors.length;
      const cursor = cursors[index];
      assert(cursor !== undefined, "a turn is a cursor's");
      this.#checkOpen(cursor.log);
      if (cursor.next >= this.#bound(cursor)) continue;
      await this.#readCursor(cursor);
      this.#turn = (index + 1) % cursors.length;
      return "advanced";
    }
    return "nothing";
  }

  #bound(cursor: Cursor): number {
    if (this.#options.follow !== true) return cursor.end;
    return this.#isolation === "read_committed"
      ? cursor.log.lastStableOffset
      : cursor.log.highWatermark;
  }

  async #readCursor(cursor: Cursor): Promise<void> {
    const { log } = cursor;
    if (cursor.floating && cursor.next < log.logStartOffset) cursor.next = log.logStartOffset;
    const options = {
      from: cursor.next,
      bytesMax: READ_BYTES_MAX,
      isolation: this.#isolation,
      ...(this.#options.signal === undefined ? {} : { signal: this.#options.signal }),
    };
    let read: PartitionRead;
    try {
      read = log.readCached(options) ?? (await log.read(options));
    } catch (error) {
      // Trimmed meanwhile: a reading from the start begins at the new one.
      if (!cursor.floating || !hasCode(error, "OFFSET_OUT_OF_RANGE")) throw error;
      cursor.next = log.logStartOffset;
      cursor.handed = cursor.next;
      return;
    }
    try {
      const { records, nextOffset } = await this.#decode(read, cursor);
      assert(nextOffset > cursor.next, "a read below its bound advances");
      cursor.next = Math.min(nextOffset, this.#options.follow === true ? Infinity : cursor.end);
      cursor.floating = false;
      if (this.#closed) return;
      this.#current = cursor;
      this.#buffer = records;
      this.#at = 0;
      if (records.length === 0) this.#drained();
    } finally {
      read.release();
    }
  }

  /**
   * The wanted records of a read, in memory of their own, up to the first batch that cannot be opened: what comes before it is handed
   * out, and the next read begins with it.
   *
   * @throws KarstError `UNREADABLE_BATCH` (`corrupt`): the first batch.
   */
  async #decode(read: PartitionRead, cursor: Cursor): Promise<Decoded<Value, Key>> {
    const context: RecordContext<Value, Key> = {
      topic: this.#source.topic,
      partition: cursor.log.partition,
      valueCodec: this.#source.valueCodec,
      keyCodec: this.#source.keyCodec,
      before: this.positions ?? { offsets: {} },
    };
    const end = this.#options.follow === true ? Infinity : cursor.end;
    const filter = new CommittedFilter(read.abortedTransactions);
    const wanted: TopicRecord<Value, Key>[] = [];
    for (const { payload, baseOffset, endOffset } of read.batches) {
      if (!filter.accepts(payload)) continue;
      const before = wanted.length;
      try {
        const records = await openRecords(payload);
        while (records.next()) {
          const { offset } = records;
          if (offset < cursor.next || offset >= end) continue;
          wanted.push(new ReadRecord(records.record(), context));
        }
      } catch (error) {
        wanted.length = before;
        if (baseOffset > cursor.next) return { records: wanted, nextOffset: baseOffset };
        throw hasCode(error, ...UNOPENABLE)
          ? karstError(
              "UNREADABLE_BATCH",
              `offsets ${baseOffset} to ${endOffset - 1} of partition ${cursor.log.partition} of ${this.#source.topic} cannot be opened, as their producer wrote them; read on from ${endOffset}: ${error.message}`,
              error,
            )
          : error;
      }
    }
    return { records: wanted, nextOffset: read.nextOffset };
  }

  /** Until a partition advances or ends, the signal aborts, or the session is closed. */
  #wait(cursors: readonly Cursor[]): Promise<void> {
    return new Promise((resolve) => {
      const signal = this.#options.signal;
      const wake = (): void => {
        for (const unsubscribe of subscriptions) unsubscribe();
        signal?.removeEventListener("abort", wake);
        this.#wake = () => undefined;
        resolve();
      };
      const subscriptions = cursors.map(({ log }) => log.onAdvance(wake));
      signal?.addEventListener("abort", wake, { once: true });
      this.#wake = wake;
    });
  }

  async #openedOnce(): Promise<Opened> {
    if (this.#opened !== undefined) return this.#opened;
    try {
      this.#opened = await this.#opening;
      return this.#opened;
    } catch (error) {
      this.#opening = this.#open();
      this.#opening.catch(() => undefined);
      throw error;
    }
  }

  async #open(): Promise<Opened> {
    this.#context.check();
    const { topic: name, autoCreate } = this.#source;
    const { follow = false, from = "earliest", partitions } = this.#options;
    const topic =
      this.#context.topics.byName(name) ??
      (follow && autoCreate
        ? await this.#context.topicOrCreate(name, this.#source)
        : this.#context.topic(name));
    const plan = planRead(name, topic.partitions, from, partitions);
    const cursors = plan.partitions.map(async (partition): Promise<Cursor> => {
      const log =
        this.#context.topics.openPartition(topic.topicId, partition) ??
        (await this.#context.topics.partition(topic.topicId, partition));
      const committed = this.#isolation === "read_committed";
      const end = committed ? log.lastStableOffset : log.highWatermark;
      const next = await startOffset(log, plan.start, end);
      const floating = plan.start.tag === "earliest";
      return { log, end, floating, next, handed: next };
    });
    return { cursors: await Promise.all(cursors), partial: plan.partial };
  }

  /** @throws KarstError `ENGINE_CLOSED` (`closed`), `TOPIC_NOT_FOUND` (`not_found`), `PARTITION_CLOSED` (`closed`). */
  #checkOpen(log: PartitionLog): void {
    if (!log.closed) return;
    this.#context.check();
    this.#context.topic(this.#source.topic);
    throw coreError(
      "PARTITION_CLOSED",
      `partition ${log.partition} of ${this.#source.topic} ended: read again from where this reading was`,
    );
  }

  #each(offsetOf: (cursor: Cursor) => number): Positions | undefined {
    if (this.#opened === undefined) return undefined;
    const offsets = Object.fromEntries(
      this.#opened.cursors.map((cursor) => [String(cursor.log.partition), offsetOf(cursor)]),
    );
    return this.#opened.partial ? { offsets, others: "skip" } : { offsets };
  }
}

interface Decoded<Value, Key> {
  readonly records: readonly TopicRecord<Value, Key>[];
  /** Where to read on. */
  readonly nextOffset: number;
}

/** What is decompressed is fresh memory; everything else is copied, once per batch. */
async function openRecords(batch: Uint8Array): Promise<BatchRecords> {
  const compressed = (readAttributes(viewOf(batch)) & CODEC_MASK) !== 0;
  return compressed ? await openBatchAsync(batch) : openBatch(copyOf(batch));
}
