import type { Isolation, PartitionLog, PartitionRead } from "@karst/core";
import { ErrorCode, type FetchResponseInput } from "@karst/kafka-protocol";
import { isKarstError } from "@karst/runtime";
import type { BrokerContext } from "../handlers/handler.ts";
import { EPOCH_NOT_SAID, leaderEpochProblem } from "../handlers/leader-epoch.ts";
import { kafkaErrorOf } from "../kafka-errors.ts";
import type { PartitionAnswer, WantedPartition } from "./fetch-session.ts";

export type FetchedPartition = FetchResponseInput["responses"][number]["partitions"][number];

/** One wanted partition: the log to read, or the error to answer. */
export type Source =
  | { readonly tag: "log"; readonly log: PartitionLog; readonly wanted: WantedPartition }
  | { readonly tag: "error"; readonly errorCode: number; readonly wanted: WantedPartition };

/** An answer as it goes out. */
export interface FetchAnswer extends PartitionAnswer {
  readonly partition: FetchedPartition;
  /** Lends the records' bytes. */
  readonly read?: PartitionRead;
}

/** What a read and a log tell alike of where the log stands. */
type LogState = Pick<PartitionRead, "highWatermark" | "lastStableOffset" | "logStartOffset"> & {
  readonly abortedTransactions?: PartitionRead["abortedTransactions"];
};

/** @param bytesLeft 0: nothing but the state of the log; above: at least one batch, where there is one. */
export async function readPartition(
  broker: BrokerContext,
  source: Source,
  bytesLeft: number,
  isolation: Isolation,
): Promise<FetchAnswer> {
  const { wanted } = source;
  if (source.tag === "error") return failed(wanted, source.errorCode);
  const { log } = source;
  // Any number below 0 says nothing here.
  const problem = leaderEpochProblem(log, Math.max(wanted.currentLeaderEpoch, EPOCH_NOT_SAID));
  if (problem !== undefined) return failed(wanted, problem);
  const from = wanted.fetchOffset;
  if (wanted.lastFetchedEpoch >= 0) {
    const end = log.endOfLeaderEpoch(wanted.lastFetchedEpoch);
    if (end === undefined || from < log.logStartOffset)
      return failed(wanted, ErrorCode.OFFSET_OUT_OF_RANGE);
    const endOffset = end.epoch === log.leaderEpoch ? log.logEndOffset : end.endOffset;
    if (end.epoch < wanted.lastFetchedEpoch || endOffset < from) return diverging(wanted, log, end);
  }
  if (from < log.logStartOffset || from > log.logEndOffset)
    return failed(wanted, ErrorCode.OFFSET_OUT_OF_RANGE);
  const bound = isolation === "read_committed" ? log.lastStableOffset : log.highWatermark;
  if (from >= bound || bytesLeft <= 0) return answered(wanted, log, isolation, []);
  try {
    const options = {
      from,
      bytesMax: Math.min(bytesLeft, Math.max(wanted.partitionMaxBytes, 1)),
      isolation,
    };
    const read = log.readCached(options) ?? (await log.read(options));
    const parts = read.batches.map((batch) => batch.payload);
    return { ...answered(wanted, read, isolation, parts), read };
  } catch (error) {
    reportFailedRead(broker, log, from, error);
    return failed(wanted, kafkaErrorOf(error));
  }
}

/** The protocol has no room for words: what is not the client's doing is said here. */
function reportFailedRead(
  broker: BrokerContext,
  { topicId, partition }: PartitionLog,
  offset: number,
  error: unknown,
): void {
  if (isKarstError(error, "out_of_range", "closed", "fenced")) return;
  const fields = { topic: topicId, partition, offset, reason: String(error) };
  if (isKarstError(error, "unavailable")) broker.log.warn("fetch-failed", fields);
  else broker.log.error("fetch-failed", fields);
}

function answered(
  wanted: WantedPartition,
  at: LogState,
  isolation: Isolation,
  records: readonly Uint8Array[],
): FetchAnswer {
  const { highWatermark, lastStableOffset, logStartOffset } = at;
  const errorCode = ErrorCode.NONE;
  return {
    wanted,
    errorCode,
    highWatermark,
    logStartOffset,
    bytes: records.reduce((sum, part) => sum + part.length, 0),
    diverges: false,
    partition: {
      partitionIndex: wanted.partition,
      errorCode,
      highWatermark,
      lastStableOffset,
      logStartOffset,
      abortedTransactions: isolation === "read_committed" ? (at.abortedTransactions ?? []) : null,
      records,
    },
  };
}

/** The client has read what is not in this log: it is told where its last epoch ended here. */
function diverging(
  wanted: WantedPartition,
  log: PartitionLog,
  divergingEpoch: { readonly epoch: number; readonly endOffset: number },
): FetchAnswer {
  const answer = answered(wanted, log, "read_uncommitted", []);
  return { ...answer, diverges: true, partition: { ...answer.partition, divergingEpoch } };
}

/** Without the offsets of the log, as Kafka does. */
function failed(wanted: WantedPartition, errorCode: number): FetchAnswer {
  return {
    wanted,
    errorCode,
    highWatermark: -1,
    logStartOffset: -1,
    bytes: 0,
    diverges: false,
    partition: {
      partitionIndex: wanted.partition,
      errorCode,
      highWatermark: -1,
      lastStableOffset: -1,
      logStartOffset: -1,
      abortedTransactions: null,
      records: [],
    },
  };
}
