import { viewOf } from "@karst/runtime";
import {
  AT_BASE_TIMESTAMP,
  AT_MAGIC,
  AT_MAX_TIMESTAMP,
  AT_PRODUCER_ID,
  BATCH_HEADER_BYTES,
  BATCH_PREFIX_BYTES,
  type BatchHeader,
  CODEC_MASK,
  CONTROL_BIT,
  LOG_APPEND_TIME_BIT,
  MAGIC_V2,
  readBatchBytes,
  readBatchHeader,
  readCrc,
  readMagic,
} from "./batch-header.ts";
import { CODEC_NAMES } from "./codec.ts";
import { batchCrc } from "./crc.ts";
import type { EncodedBatch } from "./encode.ts";
import { recordsError } from "./errors.ts";

/** Length, attributes, timestamp delta, offset delta, two lengths and a header count: one byte each. */
const RECORD_BYTES_MIN = 7;

export interface ValidateBatchOptions {
  /** Of the whole batch as received. */
  readonly bytesMax: number;
}

/**
 * Checks what a producer sent for one partition, in the order in which Kafka does: exactly one v2 batch, complete, with base offset
 * 0, of a legal size, with the right CRC, and with a header that a client may write. Decompresses nothing and reads no record.
 *
 * @throws KarstError `INVALID_RECORD`, `UNSUPPORTED_MAGIC`, `BATCH_TOO_LARGE`, `UNSUPPORTED_CODEC` (no such codec exists),
 * `INVALID_TIMESTAMP` (`invalid`); `TRUNCATED_BATCH`, `CORRUPT_BATCH` (`corrupt`).
 */
export function validateBatch(bytes: Uint8Array, options: ValidateBatchOptions): BatchHeader {
  const view = viewOf(bytes);
  checkFrame(view, options.bytesMax);
  checkIntegers(view);
  const header = readBatchHeader(view);
  checkHeader(header);
  return header;
}

/**
 * What is left to check of a batch that was encoded here: its size, and what its header claims.
 *
 * @throws KarstError `INVALID_RECORD`, `BATCH_TOO_LARGE`, `INVALID_TIMESTAMP` (`invalid`).
 */
export function validateEncoded(
  { bytes }: EncodedBatch,
  { bytesMax }: ValidateBatchOptions,
): BatchHeader {
  checkSize(bytes.length, bytesMax);
  const header = readBatchHeader(viewOf(bytes));
  checkHeader(header);
  return header;
}

/**
 * Checks a batch read back from where it was stored: complete, alone, v2, and with the right CRC.
 *
 * @throws KarstError `TRUNCATED_BATCH`, `CORRUPT_BATCH` (`corrupt`), `UNSUPPORTED_MAGIC`, `INVALID_RECORD` (`invalid`).
 */
export function verifyBatch(bytes: Uint8Array): BatchHeader {
  const view = viewOf(bytes);
  checkLength(view);
  checkCrc(view);
  return readBatchHeader(view);
}

function checkFrame(view: DataView, bytesMax: number): void {
  checkLength(view);
  if (view.getInt32(0) !== 0 || view.getInt32(4) !== 0) {
    throw recordsError("INVALID_RECORD", "the base offset of a produced batch must be 0");
  }
  checkSize(view.byteLength, bytesMax);
  checkCrc(view);
}

function checkSize(bytes: number, bytesMax: number): void {
  if (bytes > bytesMax) {
    throw recordsError(
      "BATCH_TOO_LARGE",
      `the batch has ${bytes} bytes, at most ${bytesMax} are accepted`,
    );
  }
}

/** The view is exactly one batch of magic 2. */
export function checkLength(view: DataView): void {
  const length = view.byteLength;
  if (length === 0) throw recordsError("INVALID_RECORD", "no batch");
  // Older formats are shorter, and have their magic at the same place.
  if (length > AT_MAGIC && readMagic(view) !== MAGIC_V2) {
    throw recordsError(
      "UNSUPPORTED_MAGIC",
      `record format ${readMagic(view)}; only 2 is supported`,
    );
  }
  if (length < BATCH_HEADER_BYTES) {
    throw recordsError("TRUNCATED_BATCH", `${length} bytes are less than a batch header`);
  }
  const claimed = readBatchBytes(view);
  if (claimed < BATCH_HEADER_BYTES) {
    throw recordsError("CORRUPT_BATCH", `batch length ${claimed - BATCH_PREFIX_BYTES}`);
  }
  if (claimed > length) {
    throw recordsError("TRUNCATED_BATCH", `the batch has ${claimed} bytes, ${length} are there`);
  }
  if (claimed < length) {
    throw recordsError(
      "INVALID_RECORD",
      `${length - claimed} bytes after the batch: exactly one is allowed`,
    );
  }
}

function checkCrc(view: DataView): void {
  const expected = readCrc(view);
  const actual = batchCrc(view);
  if (expected !== actual) {
    throw recordsError("CORRUPT_BATCH", `CRC is ${hex(actual)}, the batch says ${hex(expected)}`);
  }
}

/** What a client wrote on purpose is not damage, so that it is told apart before the getters call it that. */
function checkIntegers(view: DataView): void {
  for (const at of [AT_BASE_TIMESTAMP, AT_MAX_TIMESTAMP, AT_PRODUCER_ID]) {
    const high = view.getInt32(at);
    if (high >= 0x20_0000 || high < -0x20_0000) {
      throw recordsError("INVALID_RECORD", `the int64 at byte ${at} of the header is beyond 2⁵³`);
    }
  }
}

function checkHeader(header: BatchHeader): void {
  const { attributes, count, lastOffsetDelta } = header;
  const codec = attributes & CODEC_MASK;
  if (codec >= CODEC_NAMES.length) {
    throw recordsError("UNSUPPORTED_CODEC", `there is no compression codec ${codec}`);
  }
  if (count <= 0 || lastOffsetDelta !== count - 1) {
    throw recordsError(
      "INVALID_RECORD",
      `${count} records with a last offset delta of ${lastOffsetDelta}`,
    );
  }
  if (codec === 0 && count * RECORD_BYTES_MIN > header.bytes - BATCH_HEADER_BYTES) {
    throw recordsError("INVALID_RECORD", `${count} records do not fit in ${header.bytes} bytes`);
  }
  if ((attributes & CONTROL_BIT) !== 0)
    throw recordsError("INVALID_RECORD", "clients may not write control batches");
  if ((attributes & LOG_APPEND_TIME_BIT) !== 0) {
    throw recordsError("INVALID_TIMESTAMP", "producers may not claim LogAppendTime");
  }
  if (header.producerId >= 0 && (header.baseSequence < 0 || header.producerEpoch < 0)) {
    throw recordsError(
      "INVALID_RECORD",
      `producer ${header.producerId} with epoch ${header.producerEpoch} and sequence ${header.baseSequence}`,
    );
  }
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, "0");
}
