import {
  type EncodedBatch,
  patchBaseOffset,
  patchLeaderEpoch,
  readMaxTimestamp,
  stampLogAppendTime,
  validateBatch,
  validateEncoded,
} from "@karst/records";
import { type Clock, type KarstError, viewOf } from "@karst/runtime";
import { coreError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { ReadOptions, Stream, StreamRead } from "../stream/stream.ts";
import type { TopicSettings } from "../topics/topic-settings.ts";
import { APPEND_STAGES, type AppendStage, runStages } from "./append-stages.ts";
import type { EpochEnd } from "./leader-epochs.ts";
import type {
  AbortedTransaction,
  PartitionAppend,
  PartitionAppendOptions,
  PartitionLog,
  PartitionRead,
  PartitionReadOptions,
  TimestampedOffset,
} from "./partition-log.ts";
import {
  logAppendTimeOf,
  type PartitionState,
  producedBatch,
  producerOf,
} from "./partition-state.ts";
import { type ProducedBatch, sequenceCount } from "./producer-table.ts";
import { findByTimestamp, findMaxTimestamp, type FoundRecord } from "./time-lookup.ts";

export interface PartitionLogOptions {
  readonly topicId: string;
  readonly partition: number;
  readonly settings: TopicSettings;
  readonly stream: Stream;
  /** The state that the stream was opened with. */
  readonly state: PartitionState;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly stages?: readonly AppendStage[];
}

const NO_TRANSACTIONS: readonly AbortedTransaction[] = [];

/**
 * A partition log over an open stream.
 *
 * Invariants: appends are decided against the in-memory end, one after the other, and take their place in the stream within the same
 * call; nothing at or above the high watermark is told to anyone, but through `durable`.
 */
export class StreamPartitionLog implements PartitionLog {
  readonly topicId: string;
  readonly partition: number;
  readonly #stream: Stream;
  readonly #state: PartitionState;
  readonly #settings: TopicSettings;
  readonly #bytesMax: number;
  readonly #clock: Clock;
  readonly #stages: readonly AppendStage[];
  #fence: KarstError | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: PartitionLogOptions) {
    this.topicId = options.topicId;
    this.partition = options.partition;
    this.#stream = options.stream;
    this.#state = options.state;
    this.#settings = options.settings;
    this.#bytesMax = Math.min(options.settings.maxMessageBytes, options.limits.batchBytesMax);
    this.#clock = options.clock;
    this.#stages = options.stages ?? APPEND_STAGES;
    this.#state.begin(options.stream.epoch, options.stream.logEndOffset);
  }

  get leaderEpoch(): number {
    return this.#stream.epoch;
  }

  get logStartOffset(): number {
    return this.#stream.logStartOffset;
  }

  get lastStableOffset(): number {
    return lastStableOffset(this.#stream);
  }

  get highWatermark(): number {
    return this.#stream.highWatermark;
  }

  get logEndOffset(): number {
    return this.#stream.logEndOffset;
  }

  get closed(): boolean {
    return this.#fence !== undefined;
  }

  append(given: Uint8Array | EncodedBatch, options: PartitionAppendOptions = {}): PartitionAppend {
    const bytesMax = this.#bytesMax;
    const received = given instanceof Uint8Array;
    const batch = received ? given : given.bytes;
    const header = received
      ? validateBatch(given, { bytesMax })
      : validateEncoded(given, { bytesMax });
    const view = viewOf(batch);
    const nowMs = this.#clock.wallMs();
    const producer = producerOf(view);
    if (producer !== undefined) this.#state.producers.expire(nowMs);
    const original = runStages(this.#stages, {
      batch,
      view,
      header,
      encoded: received ? undefined : given,
      producer,
      options,
      settings: this.#settings,
      nowMs,
      logEndOffset: this.#stream.logEndOffset,
      producers: this.#state.producers,
      fence: this.#fence,
    });
    if (original !== undefined) return this.#duplicate(original);

    const baseOffset = this.#stream.logEndOffset;
    const endOffset = baseOffset + header.count;
    if (this.#settings.timestampType === "LogAppendTime") stampLogAppendTime(view, nowMs);
    patchBaseOffset(view, baseOffset);
    patchLeaderEpoch(view, this.#stream.epoch);
    // Times before 1970 are legal in records, and the same as none for looking them up.
    const maxTimestampMs = Math.max(-1, readMaxTimestamp(view));
    const { durable } = this.#stream.append({
      payload: batch,
      count: header.count,
      maxTimestampMs,
      baseOffset,
    });
    const logAppendTimeMs = logAppendTimeOf(view);
    this.#state.add(
      producer,
      producedBatch(producer, baseOffset, logAppendTimeMs, durable),
      endOffset,
      nowMs,
    );
    return {
      baseOffset,
      lastOffset: endOffset - 1,
      logAppendTimeMs,
      logStartOffset: this.#stream.logStartOffset,
      duplicate: false,
      durable,
    };
  }

  async read(options: PartitionReadOptions): Promise<PartitionRead> {
    this.#checkOpen();
    const bound = this.#readOptions(options);
    return this.#present(
      bound === undefined ? emptyRead(options.from) : await this.#stream.read(bound),
    );
  }

  readCached(options: PartitionReadOptions): PartitionRead | undefined {
    this.#checkOpen();
    const bound = this.#readOptions(options);
    const read = bound === undefined ? emptyRead(options.from) : this.#stream.readCached(bound);
    return read && this.#present(read);
  }

  async offsetForTimestamp(timestampMs: number): Promise<TimestampedOffset | undefined> {
    this.#checkOpen();
    return this.#withEpoch(await findByTimestamp(this.#stream, timestampMs));
  }

  async offsetOfMaxTimestamp(): Promise<TimestampedOffset | undefined> {
    this.#checkOpen();
    return this.#withEpoch(await findMaxTimestamp(this.#stream));
  }

  leaderEpochAt(offset: number): number {
    return this.#state.epochs.at(offset);
  }

  endOfLeaderEpoch(epoch: number): EpochEnd | undefined {
    const { logStartOffset, highWatermark } = this.#stream;
    return this.#state.epochs.endOf(epoch, {
      startOffset: logStartOffset,
      endOffset: highWatermark,
    });
  }

  async trim(before: number): Promise<void> {
    this.#checkOpen();
    if (before > this.#stream.highWatermark) {
      throw coreError(
        "OFFSET_OUT_OF_RANGE",
        `cannot trim to ${before}, the high watermark is ${this.#stream.highWatermark}`,
      );
    }
    await this.#stream.trim(before);
  }

  onAdvance(listener: () => void): () => void {
    return this.#stream.onAdvance(listener);
  }

  close(): Promise<void> {
    this.#fence ??= coreError(
      "PARTITION_CLOSED",
      `partition ${this.partition} of topic ${this.topicId} is closed`,
    );
    this.#closing ??= this.#stream.close();
    return this.#closing;
  }

  #duplicate(original: ProducedBatch): PartitionAppend {
    const count = sequenceCount(original.baseSequence, original.lastSequence);
    const { baseOffset, logAppendTimeMs, durable } = original;
    const logStartOffset = this.#stream.logStartOffset;
    return {
      baseOffset,
      lastOffset: baseOffset + count - 1,
      logAppendTimeMs,
      logStartOffset,
      duplicate: true,
      durable,
    };
  }

  /** undefined: there is nothing to read, but the offset is in range. */
  #readOptions(options: PartitionReadOptions): ReadOptions | undefined {
    const { from, bytesMax, isolation, signal } = options;
    const before =
      isolation === "read_committed" ? this.lastStableOffset : this.#stream.highWatermark;
    if (from > before && from <= this.#stream.highWatermark) return undefined;
    return { from, bytesMax, before, ...(signal && { signal }) };
  }

  #present(read: StreamRead): PartitionRead {
    return {
      batches: read.batches,
      nextOffset: read.nextOffset,
      highWatermark: this.#stream.highWatermark,
      lastStableOffset: this.lastStableOffset,
      logStartOffset: this.#stream.logStartOffset,
      abortedTransactions: NO_TRANSACTIONS,
      release: () => read.release(),
    };
  }

  #withEpoch(found: FoundRecord | undefined): TimestampedOffset | undefined {
    return found && { ...found, leaderEpoch: this.leaderEpochAt(found.offset) };
  }

  #checkOpen(): void {
    if (this.#fence !== undefined) throw this.#fence;
  }
}

/** Exclusive bound of the records that no undecided transaction can take back. There are no transactions: the high watermark. */
function lastStableOffset(stream: Stream): number {
  return stream.highWatermark;
}

function emptyRead(from: number): StreamRead {
  return { batches: [], nextOffset: from, release: () => undefined };
}
