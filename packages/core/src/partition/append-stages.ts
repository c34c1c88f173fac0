import { type BatchHeader, type EncodedBatch, TRANSACTIONAL_BIT } from "@karst/records";
import type { KarstError } from "@karst/runtime";
import { coreError } from "../errors.ts";
import type { TopicSettings } from "../topics/topic-settings.ts";
import { checkRecords } from "./check-records.ts";
import type { PartitionAppendOptions } from "./partition-log.ts";
import type { ProducedBatch, ProducerBatchId, ProducerTable } from "./producer-table.ts";

/** One batch that asks to be appended. Its length, CRC and header have been checked. */
export interface AppendAttempt {
  readonly batch: Uint8Array;
  readonly view: DataView;
  /** As the producer wrote it. */
  readonly header: BatchHeader;
  /** What the encoder of this process has learnt about the records, which are right; undefined: they have to be looked at. */
  readonly encoded: Pick<EncodedBatch, "minTimestampMs" | "firstKeyless"> | undefined;
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
