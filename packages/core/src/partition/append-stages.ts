import {
  BATCH_HEADER_BYTES,
  type BatchHeader,
  CODEC_MASK,
  patchMaxTimestamp,
  RecordCursor,
  recordsError,
  TRANSACTIONAL_BIT,
} from "@karst/records";
import { hasCode, type KarstError } from "@karst/runtime";
import { coreError } from "../errors.ts";
import type { TopicSettings } from "../topics/topic-settings.ts";
import type { PartitionAppendOptions } from "./partition-log.ts";
import type { ProducedBatch, ProducerBatchId, ProducerTable } from "./producer-table.ts";

/** One batch that asks to be appended. Its length, CRC and header have been checked. */
export interface AppendAttempt {
  readonly batch: Uint8Array;
  readonly view: DataView;
  /** As the producer wrote it. */
  readonly header: BatchHeader;
  /** Of a batch that was encoded here, whose records are right; undefined: they have to be looked at. */
  readonly minTimestampMs: number | undefined;
  /** undefined: not idempotent. */
  readonly producer: ProducerBatchId | undefined;
  readonly options: PartitionAppendOptions;
  readonly settings: TopicSettings;
  readonly nowMs: number;
  readonly logEndOffset: number;
  readonly producers: ProducerTable;
  /** Why nothing new is accepted here any more. */
  readonly fence: KarstError | undefined;
}

/**
 * A step before the WAL: throws to refuse, returns the original of a batch that is already in the log, else lets the batch pass.
 * It may correct the batch, and changes nothing else.
 */
export type AppendStage = (attempt: AppendAttempt) => ProducedBatch | undefined;

/** The stages in their order. A duplicate is answered before the fence and the condition could refuse it. */
export const APPEND_STAGES: readonly AppendStage[] = [
  refuseTransactions,
  checkRecords,
  checkProducer,
  checkFence,
  checkCondition,
];

/** Runs a batch through the stages, up to the first that knows the answer. */
export function runStages(
  stages: readonly AppendStage[],
  attempt: AppendAttempt,
): ProducedBatch | undefined {
  for (const stage of stages) {
    const original = stage(attempt);
    if (original !== undefined) return original;
  }
  return undefined;
}

/** Without a marker to end it, a transactional batch would never become stable. */
function refuseTransactions({ header }: AppendAttempt): undefined {
  if ((header.attributes & TRANSACTIONAL_BIT) !== 0) {
    throw coreError("INVALID_TXN_STATE", `producer ${header.producerId} has no transaction here`);
  }
}

/** Walks records that are not compressed; of the others the header's word is taken, and their keys are not looked at. */
function checkRecords(attempt: AppendAttempt): undefined {
  const { batch, view, header, minTimestampMs, settings, nowMs } = attempt;
  const needsKeys = settings.cleanupPolicy.includes("compact");
  let min = minTimestampMs ?? header.baseTimestampMs;
  let max = header.maxTimestampMs;
  const isKnown = minTimestampMs !== undefined && !needsKeys;
  if (!isKnown && (header.attributes & CODEC_MASK) === 0) {
    ({ min, max } = walkRecords(batch, header, needsKeys));
    if (max !== header.maxTimestampMs && settings.timestampType === "CreateTime")
      patchMaxTimestamp(view, max);
  }
  if (settings.timestampType === "LogAppendTime") return;
  checkTimestamp(min, settings, nowMs);
  checkTimestamp(max, settings, nowMs);
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

/**
 * Every record is whole, and they have the offsets 0, 1, 2 … One that is not would trouble every reader for ever. In a topic that is to be
 * compacted each has a key: of those without one none could be told from the others.
 */
function walkRecords(
  batch: Uint8Array,
  header: BatchHeader,
  needsKeys: boolean,
): { readonly min: number; readonly max: number } {
  try {
    const records = new RecordCursor(batch, BATCH_HEADER_BYTES, header.count);
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
      if (needsKeys && records.keyLength < 0) {
        throw recordsError("INVALID_RECORD", `record ${expected} of a compacted topic has no key`);
      }
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

function checkProducer({ producer, producers }: AppendAttempt): ProducedBatch | undefined {
  if (producer === undefined) return undefined;
  const verdict = producers.decide(producer);
  switch (verdict.tag) {
    case "accept":
      return undefined;
    case "duplicate":
      return verdict.original;
    case "fenced":
      throw coreError(
        "INVALID_PRODUCER_EPOCH",
        `producer ${producer.producerId} has epoch ${producer.producerEpoch}, ${verdict.epoch} was seen`,
      );
    case "out-of-order":
      throw coreError(
        "OUT_OF_ORDER_SEQUENCE",
        `producer ${producer.producerId} sent sequence ${producer.baseSequence}, ${verdict.expected} is next`,
      );
  }
}

function checkFence({ fence }: AppendAttempt): undefined {
  if (fence !== undefined) throw fence;
}

function checkCondition({ options, logEndOffset }: AppendAttempt): undefined {
  if (options.ifOffset !== undefined && options.ifOffset !== logEndOffset) {
    throw coreError(
      "OFFSET_CONDITION_FAILED",
      `the log ends at ${logEndOffset}, not at ${options.ifOffset}`,
    );
  }
}
