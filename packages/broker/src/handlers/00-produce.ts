import type { PartitionAppend, PartitionLog, Topic } from "@karst/core";
import { ErrorCode, type ProduceRequest, type ProduceResponseInput } from "@karst/kafka-protocol";
import { copyOf, isKarstError } from "@karst/runtime";
import { errorMessageOf, kafkaErrorOf } from "../kafka-errors.ts";
import { reachesHighWatermark } from "./durable-watermark.ts";
import { type BrokerContext, type Handling, type RequestContext, WhenDurable } from "./handler.ts";
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

interface Taken {
  readonly tag: "taken";
  readonly index: number;
  readonly append: PartitionAppend;
}

/** Taken, and waiting to be durable; or decided. */
type Outcome =
  | Taken
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
  if (opening === undefined) {
    return { response: respond(request, appendAll(broker, request, context, topics)) };
  }
  const owned = withOwnRecords(request);
  const response = opening.then(() => respond(owned, appendAll(broker, owned, context, topics)));
  return { admitted: opening.then(() => undefined), response };
}

/** The records are borrowed from the socket until the handler returns: what is appended later needs them for itself. */
function withOwnRecords(request: ProduceRequest): ProduceRequest {
  const topicData = request.topicData.map((entry) => ({
    ...entry,
    partitionData: entry.partitionData.map(({ index, records }) => ({
      index,
      records: records === null ? null : copyOf(records),
    })),
  }));
  return { ...request, topicData };
}

/** Opens what is named and not open yet; a failure shows again when the partition is used. */
function openMissing(
  broker: BrokerContext,
  request: ProduceRequest,
  topics: readonly (Topic | undefined)[],
): Promise<void> | undefined {
  let opening: Promise<unknown>[] | undefined;
  for (let at = 0; at < topics.length; at += 1) {
    const topic = topics[at];
    const entry = request.topicData[at];
    if (topic === undefined || entry === undefined) continue;
    for (const { index } of entry.partitionData) {
      if (index < 0 || index >= topic.partitions) continue;
      if (broker.topics.openPartition(topic.topicId, index) !== undefined) continue;
      opening ??= [];
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
  return opening === undefined ? undefined : Promise.all(opening).then(() => undefined);
}

/** What became of each partition, by topic as in the request. */
function appendAll(
  broker: BrokerContext,
  request: ProduceRequest,
  context: RequestContext,
  topics: readonly (Topic | undefined)[],
): readonly (readonly Outcome[])[] {
  return request.topicData.map((entry, at) =>
    entry.partitionData.map((data) => appendOne(broker, request, context, topics[at], data)),
  );
}

function appendOne(
  broker: BrokerContext,
  request: ProduceRequest,
  context: RequestContext,
  topic: Topic | undefined,
  { index, records }: PartitionData,
): Outcome {
  if (topic === undefined) {
    const byId = context.version >= FIRST_VERSION_WITH_TOPIC_IDS;
    return refused(index, byId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  }
  if (index < 0 || index >= topic.partitions)
    return refused(index, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  if (request.acks !== -1 && request.acks !== 0 && request.acks !== 1)
    return refused(index, ErrorCode.INVALID_REQUIRED_ACKS);
  if (records === null || records.length === 0)
    return refused(index, ErrorCode.INVALID_RECORD, "no record batch");
  const codec = (records[AT_ATTRIBUTES_LOW_BYTE] ?? 0) & 7;
  if (codec === ZSTD && context.version < FIRST_VERSION_WITH_ZSTD) {
    const why = "zstd needs Produce version 7";
    return refused(index, ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, why);
  }
  const log = broker.topics.openPartition(topic.topicId, index);
  if (log === undefined)
    return refused(index, ErrorCode.KAFKA_STORAGE_ERROR, "the partition cannot be opened now");
  try {
    const append = log.append(records);
    broker.counters.producedBatches.add(1);
    return { tag: "taken", index, append };
  } catch (error) {
    if (!isKarstError(error)) throw error;
    const after = revealsUndurable(error.code) ? durableTail(log) : undefined;
    return refused(index, kafkaErrorOf(error), error.message, after);
  }
}

function refused(
  index: number,
  errorCode: number,
  errorMessage: string | null = null,
  after?: Promise<void>,
): Outcome {
  const response = { index, errorCode, errorMessage, baseOffset: -1 };
  return after === undefined ? { tag: "refused", response } : { tag: "refused", response, after };
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

/** Where all appends wait for the same promise, so does the response; else it waits for one after the other. */
function respond(
  request: ProduceRequest,
  outcomes: readonly (readonly Outcome[])[],
): Handling<ProduceResponseInput>["response"] {
  const durable = request.acks === 0 ? undefined : commonPromise(outcomes);
  if (durable === undefined) return respondInTurn(request, outcomes);
  return new DurableProduce(request, outcomes, durable);
}

/** Every partition was taken, and all wait for one promise. */
class DurableProduce extends WhenDurable<ProduceResponseInput> {
  readonly #request: ProduceRequest;
  readonly #outcomes: readonly (readonly Outcome[])[];

  constructor(
    request: ProduceRequest,
    outcomes: readonly (readonly Outcome[])[],
    durable: Promise<void>,
  ) {
    super(durable);
    this.#request = request;
    this.#outcomes = outcomes;
  }

  response(): ProduceResponseInput {
    return this.#responseOf(acknowledged);
  }

  failed(error: unknown): ProduceResponseInput {
    return this.#responseOf(({ index }) => unknown(index, error));
  }

  #responseOf(settled: (taken: Taken) => PartitionResponse): ProduceResponseInput {
    return responseTo(
      this.#request,
      this.#outcomes.map((perTopic) => perTopic.map((outcome) => settled(outcome as Taken))),
    );
  }
}

/** The promise that every partition of the request waits for; undefined: there is no such one. */
function commonPromise(outcomes: readonly (readonly Outcome[])[]): Promise<void> | undefined {
  let common: Promise<void> | undefined;
  for (const perTopic of outcomes) {
    for (const outcome of perTopic) {
      if (outcome.tag === "refused") return undefined;
      common ??= outcome.append.durable;
      if (outcome.append.durable !== common) return undefined;
    }
  }
  return common;
}

async function respondInTurn(
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
  if (request.acks !== 0) return responseTo(request, settled);
  const failed = settled.flat().find((response) => response.errorCode !== ErrorCode.NONE);
  // Without a response, closing the connection is the only way to tell.
  if (failed !== undefined) throw new UnansweredProduceError(failed.errorCode);
  return undefined;
}

async function settle(outcome: Outcome): Promise<PartitionResponse> {
  if (outcome.tag === "refused") {
    if (outcome.after !== undefined) await outcome.after;
    return outcome.response;
  }
  try {
    await outcome.append.durable;
  } catch (error) {
    return unknown(outcome.index, error);
  }
  return acknowledged(outcome);
}

function responseTo(
  request: ProduceRequest,
  settled: readonly (readonly PartitionResponse[])[],
): ProduceResponseInput {
  return {
    responses: request.topicData.map(({ name, topicId }, at) => ({
      name,
      topicId,
      partitionResponses: settled[at] ?? [],
    })),
  };
}

function acknowledged({ index, append }: Taken): PartitionResponse {
  const { baseOffset, logAppendTimeMs, logStartOffset } = append;
  return { index, errorCode: ErrorCode.NONE, baseOffset, logAppendTimeMs, logStartOffset };
}

/** Nobody knows whether the append survives. */
function unknown(index: number, error: unknown): PartitionResponse {
  const errorMessage = errorMessageOf(error);
  return { index, errorCode: kafkaErrorOf(error), errorMessage, baseOffset: -1 };
}

/** A produce without acknowledgement failed: the connection closes. */
export class UnansweredProduceError extends Error {
  constructor(errorCode: number) {
    super(`a produce request with acks=0 failed with Kafka error ${errorCode}`);
  }
}
