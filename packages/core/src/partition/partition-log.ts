import type { EncodedBatch } from "@karst/records";
import type { StreamBatch } from "../stream/stream.ts";
import type { EpochEnd } from "./leader-epochs.ts";

/**
 * Kafka's view of one stream, on the node that owns it: whole v2 batches, offsets by record, idempotent producers.
 *
 * logStartOffset ≤ lastStableOffset ≤ highWatermark ≤ logEndOffset.
 */
export interface PartitionLog {
  readonly topicId: string;
  readonly partition: number;
  /** The stream's epoch: what Kafka's clients call the leader epoch. */
  readonly leaderEpoch: number;
  readonly logStartOffset: number;
  /** First offset that belongs to an undecided transaction, else the high watermark. */
  readonly lastStableOffset: number;
  /** First offset that is not yet durable. */
  readonly highWatermark: number;
  /** Next offset to be given. */
  readonly logEndOffset: number;

  /**
   * Takes exactly one v2 batch, in the order of the calls; throws, synchronously, when nothing was taken.
   *
   * @param batch with base offset 0, as producers write it. Its base offset, leader epoch and, under LogAppendTime, timestamp type,
   * max timestamp and CRC are overwritten in place, even where the append is then refused. Copied before the call returns. What
   * the encoder of this process has just made is not checked again.
   * @throws KarstError from `@karst/records`: `TRUNCATED_BATCH`, `CORRUPT_BATCH` (`corrupt`), `UNSUPPORTED_MAGIC`,
   * `INVALID_RECORD` (`invalid`). `BATCH_TOO_LARGE` (`invalid`): above the topic's max.message.bytes. `INVALID_TIMESTAMP` (`invalid`).
   * In a topic that is to be compacted: `INVALID_RECORD`: a record without a key, or what cannot be decompressed;
   * `DECOMPRESSED_TOO_LARGE` (`invalid`).
   * `OUT_OF_ORDER_SEQUENCE` (`conflict`), `INVALID_PRODUCER_EPOCH` (`fenced`). `INVALID_TXN_STATE` (`conflict`): transactional. `OFFSET_CONDITION_FAILED` (`conflict`): `ifOffset`
   * is not the end. `PARTITION_CLOSED` (`closed`). Whatever the stream refuses with: `MEMORY_BUDGET_EXCEEDED`,
   * `UPLOAD_BACKLOG_FULL`, `WAL_FULL` (`unavailable`), `STREAM_FENCED` (`fenced`), `WAL_FAILED` (`closed`).
   */
  append(batch: Uint8Array | EncodedBatch, options?: PartitionAppendOptions): PartitionAppend;

  /**
   * Whole batches from the one that contains `from`; empty at the isolation's bound.
   *
   * @throws KarstError `OFFSET_OUT_OF_RANGE` (`out_of_range`) outside [logStartOffset, highWatermark]. `PARTITION_CLOSED` (`closed`).
   */
  read(options: PartitionReadOptions): Promise<PartitionRead>;
  /** The same from memory alone: undefined where an object has to be read. Throws the same errors. */
  readCached(options: PartitionReadOptions): PartitionRead | undefined;

  /**
   * First record, in offset order, whose timestamp ≥ `timestampMs`, below the high watermark; undefined: none. Exact where the
   * batch can be opened, else the first record of the batch that has it, with that batch's max timestamp.
   */
  offsetForTimestamp(timestampMs: number): Promise<TimestampedOffset | undefined>;
  /** The first record that has the greatest timestamp below the high watermark; undefined in an empty log. */
  offsetOfMaxTimestamp(): Promise<TimestampedOffset | undefined>;
  /** Epoch under which the record at `offset` was (or will be) appended; -1 before everything that is remembered. */
  leaderEpochAt(offset: number): number;
  /**
   * Where the durable records of leader epoch `epoch` and of older ones end, and the greatest epoch among them (for the latest epoch:
   * the high watermark). undefined: the epoch is newer than all that are remembered.
   */
  endOfLeaderEpoch(epoch: number): EpochEnd | undefined;

  /**
   * Raises the log start to `before`. Resolves when published; at or below the start there is nothing to do.
   *
   * @throws KarstError `OFFSET_OUT_OF_RANGE` (`out_of_range`) above the high watermark.
   */
  trim(before: number): Promise<void>;
  /** Calls back after each advance of the high watermark or of the log start, and when the handle ends. Returns the unsubscriber. */
  onAdvance(listener: () => void): () => void;
  /** Whether the handle was closed, here or by the deletion of its topic. */
  readonly closed: boolean;
  /** Ends the handle after its appends have settled. */
  close(): Promise<void>;
}

export interface PartitionAppendOptions {
  /** Append only if this is the log end offset. A duplicate of an idempotent batch is answered before this is looked at. */
  readonly ifOffset?: number;
}

/** Taken, in order, and not yet durable. */
export interface PartitionAppend {
  readonly baseOffset: number;
  /** Inclusive. */
  readonly lastOffset: number;
  /** -1 under CreateTime. For a duplicate: as the original was appended. */
  readonly logAppendTimeMs: number;
  readonly logStartOffset: number;
  /** An idempotent batch that is already in the log: nothing was written, the offsets are the original's. */
  readonly duplicate: boolean;
  /**
   * Resolves when the batch is durable; nothing above may leave the node before. Has a rejection handler already: ignoring it is safe.
   * Rejects with `APPEND_UNKNOWN` (`indeterminate`) where the batch may or may not survive.
   */
  readonly durable: Promise<void>;
}

export type Isolation = "read_uncommitted" | "read_committed";

export interface PartitionReadOptions {
  /** First offset wanted. */
  readonly from: number;
  /** Soft limit of bytes: at least one batch is returned where there is one. */
  readonly bytesMax: number;
  /** read_uncommitted ends at the high watermark, read_committed at the last stable offset. */
  readonly isolation: Isolation;
  readonly signal?: AbortSignal;
}

export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

/** Whole v2 batches, in order. Memory is held until `release`, which must be called exactly once. */
export interface PartitionRead {
  /** Each `payload` is one record batch, ready for the wire; borrowed until `release`, never to be modified. */
  readonly batches: readonly StreamBatch[];
  /** Where to read on. */
  readonly nextOffset: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  /** Transactions to skip within the batches; empty under read_uncommitted. */
  readonly abortedTransactions: readonly AbortedTransaction[];
  release(): void;
}

export interface TimestampedOffset {
  readonly offset: number;
  readonly timestampMs: number;
  readonly leaderEpoch: number;
}
