import { copyOf } from "@karst/runtime";
import { BATCH_HEADER_BYTES } from "./batch-header.ts";
import type { Codec } from "./codec.ts";
import { type BatchOptions, codecFor, finishBatch } from "./encode.ts";
import { recordsError } from "./errors.ts";
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
 * Invariant: the records so far are encoded in [61, #end) of a buffer that is reused for the next batch, and #end ≤ bytesMax.
 */
export class BatchBuilder {
  readonly #bytesMax: number;
  #buffer: Uint8Array = new Uint8Array(FIRST_BYTES);
  #end = BATCH_HEADER_BYTES;
  #count = 0;
  #baseTimestampMs = -1;
  #maxTimestampMs = -1;

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
   * Adds a record, which is copied, if it fits.
   *
   * @returns false when the batch is full: build it, and offer the record again.
   * @throws KarstError `BATCH_TOO_LARGE` (`invalid`): it does not fit in an empty batch either. `INVALID_RECORD` (`invalid`).
   */
  tryAppend(record: RecordInput): boolean {
    const baseTimestampMs = this.#count === 0 ? record.timestampMs : this.#baseTimestampMs;
    const deltas = {
      offsetDelta: this.#count,
      timestampDelta: timestampDelta(record, baseTimestampMs),
    };
    const body = recordBodyBytes(record, deltas.timestampDelta, deltas.offsetDelta);
    const end = this.#end + varintBytes(body) + body;
    if (end > this.#bytesMax) {
      if (this.#count > 0) return false;
      throw recordsError(
        "BATCH_TOO_LARGE",
        `the record makes a batch of ${end} bytes, at most ${this.#bytesMax} are accepted`,
      );
    }
    this.#reserve(end);
    this.#end = writeRecord(this.#buffer, this.#end, record, deltas, body);
    this.#maxTimestampMs =
      this.#count === 0 ? record.timestampMs : Math.max(this.#maxTimestampMs, record.timestampMs);
    this.#baseTimestampMs = baseTimestampMs;
    this.#count += 1;
    return true;
  }

  /** The batch, in fresh bytes; the builder is empty afterwards. At least one record must have been added. */
  build(options: BatchOptions = {}): Uint8Array {
    if (this.#count === 0) throw new TypeError("a batch has at least one record");
    const codec: Codec | undefined = codecFor(options.codec);
    const summary = {
      count: this.#count,
      baseTimestampMs: this.#baseTimestampMs,
      maxTimestampMs: this.#maxTimestampMs,
    };
    const batch = finishBatch(this.#buffer, this.#end, summary, options, codec);
    this.#count = 0;
    this.#end = BATCH_HEADER_BYTES;
    return codec === undefined ? copyOf(batch) : batch;
  }

  #reserve(end: number): void {
    if (end <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.min(this.#bytesMax, Math.max(end, this.#buffer.length * 2)));
    larger.set(this.#buffer.subarray(0, this.#end));
    this.#buffer = larger;
  }
}
