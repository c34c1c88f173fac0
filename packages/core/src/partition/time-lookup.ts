import {
  type BatchRecords,
  CODEC_MASK,
  openBatch,
  openBatchAsync,
  readAttributes,
  UNOPENABLE,
} from "@karst/records";
import { hasCode, viewOf } from "@karst/runtime";
import { DECOMPRESS_ASIDE_BYTES_MIN } from "../limits.ts";
import type { Stream, StreamBatch } from "../stream/stream.ts";

/** A record found by its time. */
export interface FoundRecord {
  readonly offset: number;
  readonly timestampMs: number;
}

/** What is read at once where batches have to be tried one after the other. */
const READ_BYTES = 1024 * 1024;

/**
 * First record at or above the log start, in offset order, whose timestamp ≥ `timestampMs`, below the high watermark. In a batch that
 * cannot be opened here, its first record with the batch's max timestamp.
 */
export async function findByTimestamp(
  stream: Stream,
  timestampMs: number,
): Promise<FoundRecord | undefined> {
  const candidate = await stream.findByTimestamp(timestampMs);
  if (candidate === undefined) return undefined;
  // The candidate is nearly always the answer. It is not where the log begins inside it, above the record that made it one.
  let from = candidate.baseOffset;
  for (let bytesMax = 1; from < stream.highWatermark; bytesMax = READ_BYTES) {
    from = Math.max(from, stream.logStartOffset);
    const read = await stream.read({ from, bytesMax });
    try {
      for (const batch of read.batches) {
        const found = await findInBatch(batch, timestampMs, stream.logStartOffset);
        if (found !== undefined) return found;
      }
      if (read.nextOffset <= from) return undefined;
      from = read.nextOffset;
    } finally {
      read.release();
    }
  }
  return undefined;
}

/**
 * The first record that has the greatest timestamp below the high watermark: searched for by asking for ever later times, so that
 * nothing has to be remembered, and trims and holes do not matter.
 */
export async function findMaxTimestamp(stream: Stream): Promise<FoundRecord | undefined> {
  let found = await findByTimestamp(stream, await lastTimestamp(stream));
  found ??= await findByTimestamp(stream, 0);
  // [found, above): where the greatest timestamp lies; `above` unknown at first.
  let above = Infinity;
  let step = 1;
  while (found !== undefined && found.timestampMs + 1 < above) {
    const low = found.timestampMs;
    const probe = above === Infinity ? low + step : low + Math.ceil((above - low) / 2);
    if (!Number.isSafeInteger(probe)) return found;
    const later = await findByTimestamp(stream, probe);
    if (later === undefined) above = probe;
    else found = later;
    step *= 2;
  }
  return found;
}

/** Where times ascend the last batch has the greatest, which saves the search. 0: none is known. */
async function lastTimestamp(stream: Stream): Promise<number> {
  const last = stream.highWatermark - 1;
  if (last < stream.logStartOffset) return 0;
  const read = await stream.read({ from: last, bytesMax: 1 });
  try {
    return Math.max(0, read.batches.at(-1)?.maxTimestampMs ?? 0);
  } finally {
    read.release();
  }
}

async function findInBatch(
  batch: StreamBatch,
  timestampMs: number,
  logStartOffset: number,
): Promise<FoundRecord | undefined> {
  // The stream's word for it: without one of that time, nothing has to be opened.
  if (batch.maxTimestampMs < timestampMs) return undefined;
  const { payload } = batch;
  if (payload.length === 0) return undefined;
  try {
    const records = await open(payload);
    while (records.next()) {
      if (records.offset >= logStartOffset && records.timestampMs >= timestampMs) {
        return { offset: records.offset, timestampMs: records.timestampMs };
      }
    }
    return undefined;
  } catch (error) {
    // What its producer compressed is damaged, or too much. Nobody looked inside before, and a reader will be told.
    const compressed = (readAttributes(viewOf(payload)) & CODEC_MASK) !== 0;
    if (!compressed || !hasCode(error, ...UNOPENABLE)) throw error;
    return {
      offset: Math.max(batch.baseOffset, logStartOffset),
      timestampMs: batch.maxTimestampMs,
    };
  }
}

async function open(payload: Uint8Array): Promise<BatchRecords> {
  return payload.length < DECOMPRESS_ASIDE_BYTES_MIN
    ? openBatch(payload)
    : await openBatchAsync(payload);
}
