import type { Topic } from "@karst/core";
import {
  ErrorCode,
  type MetadataRequest,
  type MetadataResponseInput,
  ZERO_UUID,
} from "@karst/kafka-protocol";
import { hasCode } from "@karst/runtime";
import { kafkaErrorOf } from "../kafka-errors.ts";
import { CLUSTER_OPERATIONS, TOPIC_OPERATIONS } from "./authorized-operations.ts";
import { type BrokerContext, type Handling, NODE_ID, type RequestContext } from "./handler.ts";

/*
 * Metadata, versions 0–13. A topic that is asked for by name and may be created is answered as created, at once. From version 12 one that has
 * an id is found by it alone; versions 10 and 11 have the field, and it must be zero. The leader epoch is given for open partitions;
 * -1 (unknown) for those that nobody has used since the start. There is no authorizer: whoever asks may do
 * everything. Not here: racks, more than one node.
 */

const FIRST_VERSION_WITH_LOOK_UP_BY_ID = 12;

type WantedTopic = NonNullable<MetadataRequest["topics"]>[number];
type TopicMetadata = MetadataResponseInput["topics"][number];

export function metadata(
  broker: BrokerContext,
  request: MetadataRequest,
  context: RequestContext,
): Handling<MetadataResponseInput> {
  if (context.version < FIRST_VERSION_WITH_LOOK_UP_BY_ID && request.topics?.some(isById) === true)
    return { response: refused(request.topics) };
  const all = request.topics === null || (context.version === 0 && request.topics.length === 0);
  const response = all
    ? Promise.resolve(broker.topics.list().map((topic) => described(broker, topic)))
    : describeWanted(
        broker,
        request.topics ?? [],
        broker.autoCreateTopics && request.allowAutoTopicCreation,
      );
  return {
    response: response.then((topics) => ({
      ...(request.includeClusterAuthorizedOperations
        ? { clusterAuthorizedOperations: CLUSTER_OPERATIONS }
        : {}),
      brokers: [{ nodeId: NODE_ID, host: broker.advertised.host, port: broker.advertised.port }],
      clusterId: broker.clusterId,
      controllerId: NODE_ID,
      topics: request.includeTopicAuthorizedOperations
        ? topics.map((topic) => ({ ...topic, topicAuthorizedOperations: TOPIC_OPERATIONS }))
        : topics,
    })),
  };
}

function isById({ name, topicId }: WantedTopic): boolean {
  return name === null || topicId !== ZERO_UUID;
}

/** The request as a whole is not legal: of the cluster it is told nothing. */
function refused(wanted: readonly WantedTopic[]): MetadataResponseInput {
  const errorCode = ErrorCode.INVALID_REQUEST;
  return {
    errorCode,
    brokers: [],
    topics: wanted.map(({ name, topicId }) => ({
      errorCode,
      name: name ?? "",
      topicId,
      partitions: [],
    })),
  };
}

async function describeWanted(
  broker: BrokerContext,
  wanted: readonly WantedTopic[],
  mayCreate: boolean,
): Promise<TopicMetadata[]> {
  const topics: TopicMetadata[] = [];
  const seen = new Set<string>();
  for (const { name, topicId } of wanted) {
    const byId = name === null || topicId !== ZERO_UUID;
    // Answered once, however often it is named.
    const identity = byId ? `id ${topicId}` : `name ${name}`;
    if (seen.has(identity)) continue;
    seen.add(identity);
    if (byId) {
      const topic = broker.topics.byId(topicId);
      topics.push(
        topic === undefined
          ? { errorCode: ErrorCode.UNKNOWN_TOPIC_ID, name: null, topicId, partitions: [] }
          : described(broker, topic),
      );
      continue;
    }
    topics.push(await describeByName(broker, name, mayCreate));
  }
  return topics;
}

async function describeByName(
  broker: BrokerContext,
  name: string,
  mayCreate: boolean,
): Promise<TopicMetadata> {
  const unknown = (errorCode: number): TopicMetadata => ({
    errorCode,
    name,
    topicId: ZERO_UUID,
    partitions: [],
  });
  const known = broker.topics.byName(name);
  if (known !== undefined) return described(broker, known);
  const options = { name, partitions: broker.limits.defaultPartitions };
  try {
    if (mayCreate) return described(broker, await broker.topics.create(options));
    broker.topics.validate(options);
    return unknown(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  } catch (error) {
    const meanwhile = hasCode(error, "TOPIC_EXISTS") ? broker.topics.byName(name) : undefined;
    if (meanwhile !== undefined) return described(broker, meanwhile);
    // A name that collides with an existing one ("a.b", "a_b") is as illegal as one with bad characters.
    return unknown(
      hasCode(error, "TOPIC_EXISTS") ? ErrorCode.INVALID_TOPIC_EXCEPTION : kafkaErrorOf(error),
    );
  }
}

function described(broker: BrokerContext, topic: Topic): TopicMetadata {
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.topicId,
    partitions: Array.from({ length: topic.partitions }, (_, partitionIndex) => ({
      errorCode: ErrorCode.NONE,
      partitionIndex,
      leaderId: NODE_ID,
      leaderEpoch: broker.topics.openPartition(topic.topicId, partitionIndex)?.leaderEpoch ?? -1,
      replicaNodes: [NODE_ID],
      isrNodes: [NODE_ID],
    })),
  };
}
