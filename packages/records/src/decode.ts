import { viewOf } from "@karst/runtime";
import {
  BATCH_HEADER_BYTES,
  CODEC_MASK,
  LOG_APPEND_TIME_BIT,
  readAttributes,
  readBaseOffset,
  readBaseTimestamp,
  readBatchBytes,
  readCount,
  readLastOffsetDelta,
  readMaxTimestamp,
} from "./batch-header.ts";
import { recordsError } from "./errors.ts";
import { codecById } from "./known-codecs.ts";
import { decompressedBytesMax } from "./limits.ts";
import { RecordCursor, type RecordHeader } from "./record-cursor.ts";
import { checkLength } from "./validate.ts";

/** A record with its place in the log. */
export interface DecodedRecord {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

/** The records of one batch, opened for walking: `while (records.next()) …`. */
export class BatchRecords extends RecordCursor {
  readonly baseOffset: number;
  readonly #baseTimestampMs: number;
  /** What all records share under LogAppendTime. */
  readonly #appendTimeMs: number | undefined;
  readonly #lastOffsetDelta: number;

  constructor(view: DataView, records: Uint8Array, start: number) {
    super(records, start, readCount(view));
    this.#lastOffsetDelta = readLastOffsetDelta(view);
    this.baseOffset = readBaseOffset(view);
    this.#baseTimestampMs = readBaseTimestamp(view);
    this.#appendTimeMs =
      (readAttributes(view) & LOG_APPEND_TIME_BIT) === 0 ? undefined : readMaxTimestamp(view);
  }

  /**
   * As `RecordCursor.next`; offsets rise, and stay within the batch: one beyond would be another batch's.
   *
   * @throws KarstError `CORRUPT_BATCH` (`corrupt`).
   */
  override next(): boolean {
    const before = this.passed === 0 ? -1 : this.offsetDelta;
    if (!super.next()) return false;
    if (this.offsetDelta <= before || this.offsetDelta > this.#lastOffsetDelta) {
      throw recordsError(
        "CORRUPT_BATCH",
        `offset delta ${this.offsetDelta} after ${before}, the last one is ${this.#lastOffsetDelta}`,
      );
    }
    return true;
  }

  /** Offset of the present record. */
  get offset(): number {
    return this.baseOffset + this.offsetDelta;
  }

  /** -1: none. */
  get timestampMs(): number {
    return this.#appendTimeMs ?? this.#baseTimestampMs + this.timestampDelta;
  }

  /** The present record. Key, values and header values are views. */
  record(): DecodedRecord {
    return {
      offset: this.offset,
      timestampMs: this.timestampMs,
      key: this.key(),
      value: this.value(),
      headers: this.headers(),
    };
  }
}

/**
 * Opens one batch for walking. Checks its length and magic, not its CRC (`verifyBatch` does).
 *
 * @throws KarstError `TRUNCATED_BATCH`, `CORRUPT_BATCH` (`corrupt`), `UNSUPPORTED_MAGIC`, `INVALID_RECORD`, `UNSUPPORTED_CODEC`,
 * `DECOMPRESSED_TOO_LARGE` (`invalid`); walking throws `CORRUPT_BATCH`.
 */
export function openBatch(batch: Uint8Array): BatchRecords {
  const view = checkedView(batch);
  const codec = readAttributes(view) & CODEC_MASK;
  if (codec === 0) return new BatchRecords(view, batch, BATCH_HEADER_BYTES);
  const compressed = batch.subarray(BATCH_HEADER_BYTES);
  return new BatchRecords(
    view,
    codecById(codec).decompress(compressed, decompressedBytesMax(compressed.length)),
    0,
  );
}

/** The same, decompressing off the event loop. `batch` must stay as it is until it resolves. */
export async function openBatchAsync(batch: Uint8Array): Promise<BatchRecords> {
  const view = checkedView(batch);
  const codec = readAttributes(view) & CODEC_MASK;
  if (codec === 0) return new BatchRecords(view, batch, BATCH_HEADER_BYTES);
  const compressed = batch.subarray(BATCH_HEADER_BYTES);
  const bytesMax = decompressedBytesMax(compressed.length);
  return new BatchRecords(view, await codecById(codec).decompressAsync(compressed, bytesMax), 0);
}

/**
 * Every record of one batch. Key, values and header values are views of `batch`, or of what it decompresses to.
 *
 * @throws as `openBatch` and walking do.
 */
export function decodeBatch(batch: Uint8Array): DecodedRecord[] {
  const records = openBatch(batch);
  const decoded: DecodedRecord[] = [];
  while (records.next()) decoded.push(records.record());
  return decoded;
}

/** The whole batches of a `records` field, as views. A partial one at the end, which Kafka may send, is left out. */
export function splitBatches(records: Uint8Array): Uint8Array[] {
  const view = viewOf(records);
  const batches: Uint8Array[] = [];
  let at = 0;
  while (at + BATCH_HEADER_BYTES <= records.length) {
    const length = readBatchBytes(view, at);
    if (length < BATCH_HEADER_BYTES)
      throw recordsError("CORRUPT_BATCH", `batch of ${length} bytes at byte ${at}`);
    if (at + length > records.length) break;
    batches.push(records.subarray(at, at + length));
    at += length;
  }
  return batches;
}

function checkedView(batch: Uint8Array): DataView {
  const view = viewOf(batch);
  checkLength(view);
  if (readCount(view) < 0) throw recordsError("CORRUPT_BATCH", `${readCount(view)} records`);
  return view;
}
