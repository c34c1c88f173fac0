import type { Appended, AppendOptions } from "./append.ts";
import type { Codec } from "./codec.ts";
import type { Bytes, BytesInput, Positions, RecordInput, TopicRecord } from "./record.ts";
import type { AppendSession, AppendSessionOptions, ReadSession } from "./session.ts";

/** What a topic without a codec accepts is wider than what it returns; with one, both are the same unless the codec says otherwise. */
export type InputOf<Value> = [Value] extends [Bytes]
  ? [Bytes] extends [Value]
    ? BytesInput
    : Value
  : Value;

/** Of a topic that a handle creates. */
export interface CreateOptions {
  /** Default 1. */
  readonly partitions?: number | undefined;
  /** Kafka's topic configurations. */
  readonly configs?: Readonly<Record<string, string>> | undefined;
}

/** How the records of a batch are compressed, as Kafka's producers do it; whoever reads finds it out by itself. */
export type Compression = "none" | "gzip" | "snappy" | "lz4" | "zstd";

export interface TopicOptions<
  Value = Bytes,
  Key = Bytes,
  ValueInput = InputOf<Value>,
  KeyInput = InputOf<Key>,
> extends CreateOptions {
  /** Whether an append, or a reading that follows, creates a missing topic. Default true. */
  readonly autoCreate?: boolean | undefined;
  /**
   * Of what this handle appends. A batch that would not become smaller stays as it is. Default "none". Appends of one turn share
   * batches: the more records there are in one, the more there is to save. Compressing happens within the call or its turn.
   */
  readonly compression?: Compression | undefined;
  /** Of values. Default: bytes. */
  readonly codec?: Codec<Value, ValueInput> | undefined;
  /** Of keys that are not null. Default: bytes. Partitions are chosen by the encoded key. */
  readonly keyCodec?: Codec<Key, KeyInput> | undefined;
}

/**
 * Where a reading begins. `earliest`: with what is not trimmed. `latest`: after what is durable at the call. `timestamp`: in each
 * partition, with the first record of that time (milliseconds since 1970) or later. `offset`: in one partition, which may be left
 * out where the topic has only one. `offsets`: where another reading was.
 */
export type ReadFrom =
  | "earliest"
  | "latest"
  | { readonly timestamp: number | Date }
  | { readonly offset: number; readonly partition?: number | undefined }
  | Positions;

export interface ReadOptions {
  /** Default "earliest". */
  readonly from?: ReadFrom | undefined;
  /** Whether the reading waits for more records at the end. Default false: it ends at the high watermark of the call. */
  readonly follow?: boolean | undefined;
  /** Which partitions are read. Default: all that the topic has at the call, or the one of `from`. */
  readonly partitions?: readonly number[] | undefined;
  /** Aborting rejects the pending or next step with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Default "read_committed": only what is decided. "read_uncommitted" also returns records of open and aborted transactions. */
  readonly isolation?: "read_committed" | "read_uncommitted" | undefined;
}

export interface TopicDescription {
  readonly topicId: string;
  readonly name: string;
  /** What was set explicitly. */
  readonly configs: Readonly<Record<string, string>>;
  readonly partitions: readonly PartitionDescription[];
}

export interface PartitionDescription {
  readonly partition: number;
  /** First readable offset. */
  readonly logStartOffset: number;
  /** First offset that is not yet decided. */
  readonly lastStableOffset: number;
  /** First offset that is not yet durable. */
  readonly highWatermark: number;
}

/**
 * A handle of a topic: it holds nothing open, and needs no closing.
 *
 * Appends through one handle reach each partition in the order of the calls.
 */
export interface Topic<
  Value = Bytes,
  Key = Bytes,
  ValueInput = InputOf<Value>,
  KeyInput = InputOf<Key>,
> {
  readonly name: string;

  /**
   * Appends a record, or several as one atomic batch in one partition, and resolves once they are durable.
   *
   * @throws KarstError `INVALID_APPEND`, `KEYS_DISAGREE`, `ENCODING_FAILED`, `BATCH_TOO_LARGE`, `INVALID_TIMESTAMP` (`invalid`);
   * `TOPIC_NOT_FOUND`, `PARTITION_NOT_FOUND` (`not_found`); `OFFSET_CONDITION_FAILED` (`conflict`); `APPEND_BACKLOG_FULL`,
   * `MEMORY_BUDGET_EXCEEDED`, `UPLOAD_BACKLOG_FULL`, `WAL_FULL` (`unavailable`): nothing was appended, retry later;
   * `APPEND_UNKNOWN` (`indeterminate`): read before retrying; `ENGINE_CLOSED`, `WAL_FAILED` (`closed`), `STREAM_FENCED` (`fenced`).
   */
  append(
    records: RecordInput<ValueInput, KeyInput> | readonly RecordInput<ValueInput, KeyInput>[],
    options?: AppendOptions,
  ): Promise<Appended>;

  /**
   * Records in order of each partition, partitions in turn. Leaving the loop ends the reading quietly.
   *
   * @throws KarstError while iterating: `TOPIC_NOT_FOUND`, `PARTITION_NOT_FOUND` (`not_found`), `INVALID_POSITION` (`invalid`),
   * `OFFSET_OUT_OF_RANGE` (`out_of_range`): trimmed, or beyond the end. The signal's reason.
   */
  read(options?: ReadOptions): AsyncIterable<TopicRecord<Value, Key>>;

  /** Appends in a row without waiting for each: bounded by bytes, in order, retried while that is certainly safe. */
  appendSession(options?: AppendSessionOptions): AppendSession<ValueInput, KeyInput>;
  /** A reading that can be asked where it is, and that hands out batches. */
  readSession(options?: ReadOptions): ReadSession<Value, Key>;

  /**
   * Forgets the records of a partition below `before`. Resolves when published.
   *
   * @throws KarstError `OFFSET_OUT_OF_RANGE` (`out_of_range`) above the high watermark; `TOPIC_NOT_FOUND`, `PARTITION_NOT_FOUND`.
   */
  trim(options: { readonly partition: number; readonly before: number }): Promise<void>;

  /** @throws KarstError `TOPIC_NOT_FOUND` (`not_found`). */
  describe(): Promise<TopicDescription>;
}
