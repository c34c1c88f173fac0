import {
  BATCH_HEADER_BYTES,
  type BatchHeader,
  CODEC_MASK,
  openBatch,
  patchMaxTimestamp,
  RecordCursor,
  recordsError,
} from "@karst/records";
import { hasCode, type KarstError } from "@karst/runtime";
import type { TopicSettings } from "../topics/topic-settings.ts";
import type { AppendAttempt } from "./append-stages.ts";

/** Least and greatest timestamp of a batch's records. */
interface Times {
  readonly min: number;
  readonly max: number;
}

/**
 * Every record is right where it is looked at: each that is not compressed, and of a topic that is to be compacted all, since of those
 * without a key none could be told from the others. Of other compressed ones the header's word is taken (ADR-0009).
 */
export function checkRecords(attempt: AppendAttempt): undefined {
  const { view, header, settings, nowMs } = attempt;
  const { min, max } = timesOf(attempt);
  const stamped = settings.timestampType === "LogAppendTime";
  if (max !== header.maxTimestampMs && !stamped) patchMaxTimestamp(view, max);
  if (stamped) return;
  checkTimestamp(min, settings, nowMs);
  checkTimestamp(max, settings, nowMs);
}

function timesOf({ batch, header, encoded, settings }: AppendAttempt): Times {
  const needsKeys = settings.cleanupPolicy.includes("compact");
  if (encoded !== undefined) {
    const { minTimestampMs, firstKeyless } = encoded;
    if (needsKeys && firstKeyless !== undefined) throw keyless(firstKeyless);
    return { min: minTimestampMs, max: header.maxTimestampMs };
  }
  if ((header.attributes & CODEC_MASK) !== 0 && !needsKeys)
    return { min: header.baseTimestampMs, max: header.maxTimestampMs };
  return walkRecords(batch, header, needsKeys);
}

function checkTimestamp(timestampMs: number, settings: TopicSettings, nowMs: number): void {
  // No timestamp at all.
  if (timestampMs === -1) return;
  if (
    timestampMs < nowMs - settings.timestampBeforeMaxMs ||
    timestampMs > nowMs + settings.timestampAfterMaxMs
  ) {
    throw recordsError(
      "INVALID_TIMESTAMP",
      `timestamp ${timestampMs} is out of the topic's bounds at ${nowMs}`,
    );
  }
}

/** Every record is whole, and they have the offsets 0, 1, 2 … One that is not would trouble every reader for ever. */
function walkRecords(batch: Uint8Array, header: BatchHeader, needsKeys: boolean): Times {
  try {
    const records = open(batch, header);
    let min = Infinity;
    let max = -Infinity;
    let expected = 0;
    while (records.next()) {
      if (records.offsetDelta !== expected) {
        throw recordsError(
          "INVALID_RECORD",
          `offset delta ${records.offsetDelta} of record ${expected}`,
        );
      }
      if (needsKeys && records.keyLength < 0) throw keyless(expected);
      expected += 1;
      const timestampMs = header.baseTimestampMs + records.timestampDelta;
      if (timestampMs < min) min = timestampMs;
      if (timestampMs > max) max = timestampMs;
    }
    if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max)) {
      throw recordsError("INVALID_RECORD", "a timestamp beyond 2⁵³");
    }
    return { min, max };
  } catch (cause) {
    // The CRC is right: this is what the producer wrote.
    if (hasCode(cause, "CORRUPT_BATCH")) throw recordsError("INVALID_RECORD", cause.message, cause);
    throw cause;
  }
}

/** Decompressed at once, so that appends stay in order: 64 MiB at most, and gone when the walk is over. */
function open(batch: Uint8Array, header: BatchHeader): RecordCursor {
  return (header.attributes & CODEC_MASK) === 0
    ? new RecordCursor(batch, BATCH_HEADER_BYTES, header.count)
    : openBatch(batch);
}

function keyless(record: number): KarstError {
  return recordsError("INVALID_RECORD", `record ${record} of a compacted topic has no key`);
}
