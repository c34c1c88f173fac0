import type { PartitionAppend, PartitionLog, Topic } from "@karst/core";
import { ErrorCode, type ProduceRequest, type ProduceResponseInput } from "@karst/kafka-protocol";
import { isKarstError } from "@karst/runtime";
import { errorMessageOf, kafkaErrorOf } from "../kafka-errors.ts";
import { reachesHighWatermark } from "./durable-watermark.ts";
import type { BrokerContext, Handling, RequestContext } from "./handler.ts";
import { resolveTopic } from "./topic-names.ts";

/*
 * Produce, versions 3–13 (advertised from 0: older librdkafka turns compression off otherwise; 0–2 close the connection, as Kafka does).
 *
 * Not here: transactional batches (they come with the transaction coordinator); `timeoutMs` (there are no followers to wait for: an
 * append is durable when the WAL's sync returns, and a client's own timeout is shorter than ours could usefully be); CurrentLeader and
 * NodeEndpoints (there is one node); errors per record (a batch is refused as a whole).
 */

const FIRST_VERSION_WITH_TOPIC_IDS = 13;
const FIRST_VERSION_WITH_ZSTD = 7;
const ZSTD = 4;
const AT_ATTRIBUTES_LOW_BYTE = 22;

type PartitionData = ProduceRequest["topicData"][number]["partitionData"][number];
type PartitionResponse = ProduceResponseInput["responses"][number]["partitionResponses"][number];

/** Taken, and waiting to be durable; or decided. */
type Outcome =
  | { readonly tag: "taken"; readonly index: number; readonly append: PartitionAppend }
  | {
      readonly tag: "refused";
      readonly response: PartitionResponse;
      readonly after?: Promise<void>;
    };

export function produce(
  broker: BrokerContext,
  request: ProduceRequest,
  context: RequestContext,
): Handling<ProduceResponseInput> {
  const byId = context.version >= FIRST_VERSION_WITH_TOPIC_IDS;
  const topics = request.topicData.map((entry) => resolveTopic(broker.topics, entry, byId));
  const opening = openMissing(broker, request, topics);
  const appendAndWait = (): Promise<ProduceResponseInput | undefined> => {
    const outcomes = request.topicData.map((entry, at) =>
      entry.partitionData.map((partition) =>
        appendOne(broker, request, context, topics[at], byId, partition),
      ),
    );
    return respond(request, outcomes);
  };
  if (opening === undefined) return { response: appendAndWait() };
  const admitted = opening.then(appendAndWait);
  return { admitted: opening.then(() => undefined), response: admitted };
}

/** Opens what is named and not open yet; a failure shows again when the partition is used. */
function openMissing(
  broker: BrokerContext,
  request: ProduceRequest,
  topics: readonly (Topic | undefined)[],
): Promise<void> | undefined {
  const opening: Promise<unknown>[] = [];
  for (const [at, entry] of request.topicData.entries()) {
    const topic = topics[at];
    if (topic === undefined) continue;
    for (const { index } of entry.partitionData) {
      if (index < 0 || index >= topic.partitions) continue;
      if (broker.topics.openPartition(topic.topicId, index) !== undefined) continue;
      opening.push(
        broker.topics.partition(topic.topicId, index).catch((error: unknown) => {
          broker.log.warn("partition-open-failed", {
            topic: topic.topicId,
            partition: index,
            reason: errorMessageOf(error),
          });
        }),
      );
    }
  }
  return opening.length === 0 ? undefined : Promise.all(opening).then(() => undefined);
}

function appendOne(
  broker: BrokerContext,
  request: ProduceRequest,
  context: RequestContext,
  topic: Topic | undefined,
  byId: boolean,
  { index, records }: PartitionData,
): Outcome {
  const refused = (
    errorCode: number,
    errorMessage: string | null = null,
    after?: Promise<void>,
  ): Outcome => ({
    tag: "refused",
    response: { index, errorCode, errorMessage, baseOffset: -1 },
    ...(after === undefined ? {} : { after }),
  });
  if (request.acks !== -1 && request.acks !== 0 && request.acks !== 1)
    return refused(ErrorCode.INVALID_REQUIRED_ACKS);
  if (topic === undefined)
    return refused(byId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  if (index < 0 || index >= topic.partitions) return refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  if (request.transactionalId !== null) {
    return refused(ErrorCode.INVALID_TXN_STATE, "this broker has no transactions");
  }
  if (records === null || records.length === 0)
    return refused(ErrorCode.INVALID_RECORD, "no record batch");
  const codec = (records[AT_ATTRIBUTES_LOW_BYTE] ?? 0) & 7;
  if (codec === ZSTD && context.version < FIRST_VERSION_WITH_ZSTD) {
    return refused(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, "zstd needs Produce version 7");
  }
  const log = broker.topics.openPartition(topic.topicId, index);
  if (log === undefined)
    return refused(ErrorCode.KAFKA_STORAGE_ERROR, "the partition cannot be opened now");
  try {
    const append = log.append(records);
    broker.counters.producedBatches.add(1);
    return { tag: "taken", index, append };
  } catch (error) {
    if (!isKarstError(error)) throw error;
    return refused(
      kafkaErrorOf(error),
      error.message,
      revealsUndurable(error.code) ? durableTail(log) : undefined,
    );
  }
}

/** A refusal because of what is already in the log waits until that is durable: nothing that leaves may rest on it before. */
function revealsUndurable(code: string): boolean {
  return (
    code === "OUT_OF_ORDER_SEQUENCE" ||
    code === "INVALID_PRODUCER_EPOCH" ||
    code === "OFFSET_CONDITION_FAILED"
  );
}

function durableTail(log: PartitionLog): Promise<void> | undefined {
  return log.highWatermark >= log.logEndOffset
    ? undefined
    : reachesHighWatermark(log, log.logEndOffset);
}

async function respond(
  request: ProduceRequest,
  outcomes: readonly (readonly Outcome[])[],
): Promise<ProduceResponseInput | undefined> {
  const settled: PartitionResponse[][] = [];
  for (const perTopic of outcomes) {
    const responses: PartitionResponse[] = [];
    // One after the other: durability is reported in order, so the last wait is the only long one.
    for (const outcome of perTopic) responses.push(await settle(outcome));
    settled.push(responses);
  }
  if (request.acks === 0) {
    const failed = settled.flat().find((response) => response.errorCode !== ErrorCode.NONE);
    // Without a response, closing the connection is the only way to tell.
    if (failed !== undefined) throw new UnansweredProduceError(failed.errorCode);
    return undefined;
  }
  return {
    responses: request.topicData.map(({ name, topicId }, at) => ({
      name,
      topicId,
      partitionResponses: settled[at] ?? [],
    })),
  };
}

async function settle(outcome: Outcome): Promise<PartitionResponse> {
  if (outcome.tag === "refused") {
    if (outcome.after !== undefined) await outcome.after;
    return outcome.response;
  }
  const { index, append } = outcome;
  try {
    await append.durable;
  } catch (error) {
    return {
      index,
      errorCode: kafkaErrorOf(error),
      errorMessage: errorMessageOf(error),
      baseOffset: -1,
    };
  }
  return {
    index,
    errorCode: ErrorCode.NONE,
    baseOffset: append.baseOffset,
    logAppendTimeMs: append.logAppendTimeMs,
    logStartOffset: append.logStartOffset,
  };
}

/** A produce without acknowledgement failed: the connection closes. */
export class UnansweredProduceError extends Error {
  constructor(errorCode: number) {
    super(`a produce request with acks=0 failed with Kafka error ${errorCode}`);
  }
}
