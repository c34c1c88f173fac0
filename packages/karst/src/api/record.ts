/** What a key, a value or a header holds when it is read; null: absent, as in a tombstone. */
export type Bytes = Uint8Array | null;

/** What it may be given as. Text is written as UTF-8. Bytes are copied before the call returns. */
export type BytesInput = string | Uint8Array | null;

/** Keys may repeat, and their order is kept. */
export interface RecordHeader {
  readonly key: string;
  readonly value: Bytes;
}

/** Headers to be written: an object where each key occurs once, else a list. */
export type HeadersInput =
  | Readonly<Record<string, BytesInput>>
  | readonly { readonly key: string; readonly value: BytesInput }[];

/** A record to be appended. A record that was read can be appended as it is. */
export interface RecordInput<Value = BytesInput, Key = BytesInput> {
  /** Records of one key go to one partition, the one that Kafka's clients choose. Absent: none. */
  readonly key?: Key | null | undefined;
  readonly value: Value;
  readonly headers?: HeadersInput | undefined;
  /** Milliseconds since 1970. Default: the time of the call. A topic under LogAppendTime replaces it. */
  readonly timestampMs?: number | undefined;
}

/** A record that was read. It and all it holds stay valid as long as they are held. */
export interface TopicRecord<Value = Bytes, Key = Bytes> {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since 1970; -1: none. */
  readonly timestampMs: number;
  /** With a codec: decoded when first asked for. @throws KarstError `DECODING_FAILED` (`invalid`), with the codec's error as cause. */
  readonly key: Key | null;
  /** Without a codec: its bytes, which share memory with the records of the same batch. With one: as `key`. */
  readonly value: Value;
  readonly headers: readonly RecordHeader[];
  /** Where to read on after this record: `read({ from: record.position })`. Plain data. */
  readonly position: Positions;
  /** The value's bytes, whatever the codec. */
  bytes(): Bytes;
  /** The value as UTF-8, malformed sequences as U+FFFD; of a tombstone: the empty string. */
  text(): string;
  /** The value parsed as JSON; of a tombstone: null. @throws KarstError `DECODING_FAILED` (`invalid`). */
  json<T = unknown>(): T;
}

/** The next offset of each partition of a reading. Plain data, to be stored as JSON. */
export interface Positions {
  readonly offsets: Readonly<Record<string, number>>;
  /** Partitions that are absent above: not read. Default: read from their start, so that one that is added later is not missed. */
  readonly others?: "skip" | undefined;
}
