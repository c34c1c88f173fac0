import { assert } from "@karst/runtime";
import { BATCH_HEADER_BYTES } from "./batch-header.ts";
import { type BatchOptions, codecFor, type EncodedBatch, finishBatch } from "./encode.ts";
import { BATCH_BYTES_MAX } from "./limits.ts";
import {
  recordBodyBytes,
  type RecordInput,
  timestampDelta,
  writeRecord,
} from "./record-encoding.ts";
import { varintBytes } from "./varint.ts";

const FIRST_BYTES = 1024;

export interface BatchBuilderOptions {
  /** Size of the batch, before compression, above which a record no longer fits. Default 1,048,588. */
  readonly bytesMax?: number;
}

/**
 * Collects records until a batch is full, then writes it.
 *
 * Invariant: the records so far are encoded in [61, #end) of a buffer that is used again for the next batch, and #end ≤ bytesMax.
 */
export class BatchBuilder {
  readonly #bytesMax: number;
  #buffer: Uint8Array = new Uint8Array(FIRST_BYTES);
  #end = BATCH_HEADER_BYTES;
  #count = 0;
  #baseTimestampMs = -1;
  #minTimestampMs = Infinity;
  #maxTimestampMs = -Infinity;
  #firstKeyless: number | undefined;

  constructor(options: BatchBuilderOptions = {}) {
    this.#bytesMax = options.bytesMax ?? BATCH_BYTES_MAX;
  }

  get count(): number {
    return this.#count;
  }

  /** Bytes of the batch as it stands, uncompressed. */
  get bytes(): number {
    return this.#end;
  }

  /**
   * Adds records, which are copied, if they fit: all of them or none.
   *
   * @returns false where they do not fit: behind what is there already, be it for their size or for their time, or not even into an
   * empty batch.
   * @throws KarstError `INVALID_RECORD` (`invalid`), with nothing added: no batch could hold them.
   */
  tryAppend(records: readonly RecordInput[]): boolean {
    let end = this.#end;
    let count = this.#count;
    let baseTimestampMs = this.#baseTimestampMs;
    let minTimestampMs = this.#minTimestampMs;
    let maxTimestampMs = this.#maxTimestampMs;
    let firstKeyless = this.#firstKeyless;
    for (const record of records) {
      const { timestampMs } = record;
      if (count === 0) baseTimestampMs = timestampMs;
      // Alone, or with others, they may be right.
      if (this.#count > 0 && !Number.isSafeInteger(timestampMs - baseTimestampMs)) return false;
      const delta = timestampDelta(record, baseTimestampMs);
      const body = recordBodyBytes(record, delta, count);
      const next = end + varintBytes(body) + body;
      if (next > this.#bytesMax) return false;
      this.#reserve(next, end);
      const deltas = { offsetDelta: count, timestampDelta: delta };
      end = writeRecord(this.#buffer, end, record, deltas, body);
      // Views of growable memory may have become longer meanwhile.
      assert(end === next, "a record changed its size while it was written");
      if (record.key == null) firstKeyless ??= count;
      count += 1;
      if (timestampMs < minTimestampMs) minTimestampMs = timestampMs;
      if (timestampMs > maxTimestampMs) maxTimestampMs = timestampMs;
    }
    this.#end = end;
    this.#count = count;
    this.#baseTimestampMs = baseTimestampMs;
    this.#minTimestampMs = minTimestampMs;
    this.#maxTimestampMs = maxTimestampMs;
    this.#firstKeyless = firstKeyless;
    return true;
  }

  /**
   * The batch; the builder is empty afterwards. At least one record must have been added.
   *
   * @returns bytes that are valid until the builder is used again, unless they are compressed.
   */
  build(options: BatchOptions = {}): EncodedBatch {
    if (this.#count === 0) throw new TypeError("a batch has at least one record");
    const summary = {
      count: this.#count,
      baseTimestampMs: this.#baseTimestampMs,
      minTimestampMs: this.#minTimestampMs,
      maxTimestampMs: this.#maxTimestampMs,
      firstKeyless: this.#firstKeyless,
    };
    const batch = finishBatch(this.#buffer, this.#end, summary, options, codecFor(options.codec));
    this.#end = BATCH_HEADER_BYTES;
    this.#count = 0;
    this.#minTimestampMs = Infinity;
    this.#maxTimestampMs = -Infinity;
    this.#firstKeyless = undefined;
    return batch;
  }

  /** Makes room up to `end`, keeping what is below `used`. */
  #reserve(end: number, used: number): void {
    if (end <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.min(this.#bytesMax, Math.max(end, this.#buffer.length * 2)));
    larger.set(this.#buffer.subarray(0, used));
    this.#buffer = larger;
  }
}
