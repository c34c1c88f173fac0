import type { Topic } from "@karst/core";
import {
  ErrorCode,
  type OffsetCommitRequest,
  type OffsetCommitResponseInput,
} from "@karst/kafka-protocol";
import type { PartitionOffset } from "../groups/group-offsets.ts";
import { type BrokerContext, type Handling, type RequestContext, WhenDurable } from "./handler.ts";
import { resolveTopic } from "./topic-names.ts";

/*
 * OffsetCommit, versions 2–10. Answered when the offsets are durable. `retentionTimeMs` of versions 2–4 is not used: retention is the
 * broker's, as in Kafka since 2.1. A group is an all-or-nothing matter, partitions that do not exist are refused one by one.
 */

const FIRST_VERSION_WITH_TOPIC_IDS = 10;
const FIRST_VERSION_WITH_MEMBER_EPOCHS = 9;

type Partition = OffsetCommitRequest["topics"][number]["partitions"][number];

/** The error of each partition, by topic as in the request. NONE: it is committed with the others. */
type Errors = readonly (readonly number[])[];

export function offsetCommit(
  broker: BrokerContext,
  request: OffsetCommitRequest,
  context: RequestContext,
): Handling<OffsetCommitResponseInput> {
  const byId = context.version >= FIRST_VERSION_WITH_TOPIC_IDS;
  const offsets: PartitionOffset[] = [];
  const committedMs = broker.runtime.clock.wallMs();
  const errors = request.topics.map((entry) => {
    const topic = resolveTopic(broker.topics, entry, byId);
    return entry.partitions.map((partition) => {
      const error = partitionError(broker, topic, partition, byId);
      if (error === ErrorCode.NONE && topic !== undefined)
        offsets.push(offsetOf(topic, partition, committedMs));
      return error;
    });
  });
  if (offsets.length === 0) return { response: responseOf(request, errors, ErrorCode.NONE) };
  const access = broker.groups.access;
  if (access.tag === "refused") return { response: responseOf(request, errors, access.errorCode) };
  const outcome = access.groups.commit(
    request.groupId,
    {
      memberId: request.memberId,
      instanceId: request.groupInstanceId,
      generation: request.generationIdOrMemberEpoch,
    },
    offsets,
    context.version >= FIRST_VERSION_WITH_MEMBER_EPOCHS
      ? ErrorCode.GROUP_ID_NOT_FOUND
      : ErrorCode.ILLEGAL_GENERATION,
  );
  const errorCode = outcome.tag === "refused" ? outcome.errorCode : ErrorCode.NONE;
  if (outcome.durable === undefined) return { response: responseOf(request, errors, errorCode) };
  return { response: new DurableCommit(request, errors, errorCode, outcome.durable) };
}

/** Waits for the offsets, or for what they are refused because of. */
class DurableCommit extends WhenDurable<OffsetCommitResponseInput> {
  readonly #request: OffsetCommitRequest;
  readonly #errors: Errors;
  readonly #errorCode: number;

  constructor(
    request: OffsetCommitRequest,
    errors: Errors,
    errorCode: number,
    durable: Promise<void>,
  ) {
    super(durable);
    this.#request = request;
    this.#errors = errors;
    this.#errorCode = errorCode;
  }

  response(): OffsetCommitResponseInput {
    return responseOf(this.#request, this.#errors, this.#errorCode);
  }

  failed(): OffsetCommitResponseInput {
    return responseOf(this.#request, this.#errors, ErrorCode.NOT_COORDINATOR);
  }
}

function partitionError(
  broker: BrokerContext,
  topic: Topic | undefined,
  partition: Partition,
  byId: boolean,
): number {
  if (topic === undefined)
    return byId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  const { partitionIndex, committedMetadata } = partition;
  if (partitionIndex < 0 || partitionIndex >= topic.partitions)
    return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  return (committedMetadata ?? "").length > broker.limits.offsetMetadataLengthMax
    ? ErrorCode.OFFSET_METADATA_TOO_LARGE
    : ErrorCode.NONE;
}

function offsetOf(topic: Topic, partition: Partition, committedMs: number): PartitionOffset {
  return {
    topicId: topic.topicId,
    partition: partition.partitionIndex,
    committed: {
      offset: partition.committedOffset,
      leaderEpoch: partition.committedLeaderEpoch,
      metadata: partition.committedMetadata ?? "",
      committedMs,
    },
  };
}

/** @param errorCode of those partitions that have none of their own. */
function responseOf(
  request: OffsetCommitRequest,
  errors: Errors,
  errorCode: number,
): OffsetCommitResponseInput {
  return {
    topics: request.topics.map(({ name, topicId, partitions }, at) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }, index) => {
        const own = errors[at]?.[index] ?? ErrorCode.NONE;
        return { partitionIndex, errorCode: own === ErrorCode.NONE ? errorCode : own };
      }),
    })),
  };
}
