/** One batch of a stream, opaque bytes at `[baseOffset, endOffset)`. */
export interface StreamBatch {
  readonly baseOffset: number;
  readonly endOffset: number;
  /** -1: none. */
  readonly maxTimestampMs: number;
  /** Borrowed until the read is released. Never modified. */
  readonly payload: Uint8Array;
}

export interface AppendInput {
  /** Copied before `append` returns. */
  readonly payload: Uint8Array;
  /** ≥ 1: offsets that the batch occupies. */
  readonly count: number;
  readonly maxTimestampMs: number;
  /** Default: `logEndOffset`. Beyond it, the offsets between become a hole for ever. */
  readonly baseOffset?: number;
}

/** Taken, in order, and not yet durable. */
export interface PendingAppend {
  readonly baseOffset: number;
  readonly endOffset: number;
  /**
   * Resolves when durable, and only while this node still owns the stream. Has a rejection handler already: ignoring it is safe.
   * Rejects with `indeterminate` (`APPEND_UNKNOWN`) where the batch may or may not survive.
   */
  readonly durable: Promise<void>;
}

export interface ReadOptions {
  /** First offset wanted: the batch that contains it comes whole. */
  readonly from: number;
  /** Soft limit of payload bytes: at least one batch is returned where there is one. */
  readonly bytesMax: number;
  /** Exclusive bound, at most the high watermark, which is the default. A batch reaching over it is not returned. */
  readonly before?: number;
  readonly signal?: AbortSignal;
}

/** Contiguous batches (holes apart). Memory is held until `release`, which must be called exactly once. */
export interface StreamRead {
  readonly batches: readonly StreamBatch[];
  /** Where to read on. */
  readonly nextOffset: number;
  release(): void;
}

/**
 * The writer's and readers' handle of one stream, on the node that owns it.
 *
 * logStartOffset ≤ highWatermark ≤ logEndOffset. The high watermark is the first offset that is not yet durable; nothing at or
 * above it is ever read.
 */
export interface Stream {
  readonly streamId: number;
  /** Of the ownership: grows when the owner changes. */
  readonly epoch: number;
  readonly logStartOffset: number;
  readonly highWatermark: number;
  readonly logEndOffset: number;

  /**
   * @throws KarstError `MEMORY_BUDGET_EXCEEDED`, `UPLOAD_BACKLOG_FULL`, `WAL_FULL` (`unavailable`): nothing was taken, retry later.
   * `FRAME_TOO_LARGE`, `OFFSET_BEFORE_END` (`invalid`). `STREAM_FENCED` (`fenced`), `STREAM_CLOSED`, `WAL_FAILED` (`closed`).
   */
  append(input: AppendInput): PendingAppend;
  /**
   * Batches from `from`. Empty at the high watermark.
   *
   * @throws KarstError `OFFSET_OUT_OF_RANGE` (`out_of_range`) outside [logStartOffset, highWatermark], or below a start that is
   * published and has not been heard of here; `STREAM_FENCED` (`fenced`): deleted.
   */
  read(options: ReadOptions): Promise<StreamRead>;
  /** The same from memory alone: undefined where an object has to be read. */
  readCached(options: ReadOptions): StreamRead | undefined;
  /**
   * First batch whose maxTimestampMs ≥ `timestampMs`, in offset order; undefined: none below the high watermark.
   * The caller looks inside the batch.
   */
  findByTimestamp(
    timestampMs: number,
  ): Promise<{ readonly baseOffset: number; readonly endOffset: number } | undefined>;
  /** Calls back after each advance of the high watermark or the start, and on the handle's end. Returns the unsubscriber. */
  onAdvance(listener: () => void): () => void;
  /** Raises the start to `before` (≤ highWatermark; lower or equal: nothing to do). Resolves when published. */
  trim(before: number): Promise<void>;
  /** Uploads everything durable of this stream, and publishes it. */
  upload(): Promise<void>;
  /** Ends the handle after its appends settled; the stream stays the node's. */
  close(): Promise<void>;
}

/**
 * What a stream's owner derives from its batches and wants back at open without reading them all: written as a state block with
 * each upload, as of the uploaded range's end.
 */
export interface StreamState {
  /** State after every batch appended so far; undefined: nothing worth writing. Fresh bytes. */
  encode(): Uint8Array | undefined;
  /** Starts from a state block (undefined: from nothing), as of `offset`. Called once, before any `apply`. */
  restore(state: Uint8Array | undefined, offset: number): void;
  /** One batch after that, in order, while opening. */
  apply(batch: StreamBatch): void;
}
