import type { Topic } from "@karst/core";
import {
  type DeleteTopicsRequest,
  type DeleteTopicsResponseInput,
  ErrorCode,
  ZERO_UUID,
} from "@karst/kafka-protocol";
import { errorMessageOf, kafkaErrorOf } from "../kafka-errors.ts";
import type { BrokerContext, Handling, RequestContext } from "./handler.ts";

/*
 * DeleteTopics, versions 1–6. Answered when the deletion is committed; `timeoutMs` is not used. Bytes are freed by garbage collection. What is
 * named twice is not deleted, and answered once, also where it is named once by name and once by id.
 */

const FIRST_VERSION_WITH_IDS = 6;

type DeletedTopic = DeleteTopicsResponseInput["responses"][number];

interface Wanted {
  readonly name: string | null;
  readonly topicId: string;
}

export function deleteTopics(
  broker: BrokerContext,
  request: DeleteTopicsRequest,
  context: RequestContext,
): Handling<DeleteTopicsResponseInput> {
  const wanted: readonly Wanted[] =
    context.version >= FIRST_VERSION_WITH_IDS
      ? request.topics
      : request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }));
  return { response: deleteAll(broker, wanted) };
}

async function deleteAll(
  broker: BrokerContext,
  wanted: readonly Wanted[],
): Promise<DeleteTopicsResponseInput> {
  const ofIdentity = new Map<string, Wanted[]>();
  for (const entry of wanted) {
    const identity = identityOf(broker, entry);
    const same = ofIdentity.get(identity);
    if (same === undefined) ofIdentity.set(identity, [entry]);
    else same.push(entry);
  }
  const responses: DeletedTopic[] = [];
  for (const [entry, ...others] of ofIdentity.values()) {
    if (entry !== undefined) responses.push(await deleteOne(broker, entry, others.length > 0));
  }
  return { responses };
}

/** The topic's id; of what does not exist, or is not legal, what was said. */
function identityOf(broker: BrokerContext, { name, topicId }: Wanted): string {
  if (name !== null && topicId !== ZERO_UUID) return `both ${topicId} ${name}`;
  if (name === null) return `id ${topicId}`;
  const topic = broker.topics.byName(name);
  return topic === undefined ? `name ${name}` : `id ${topic.topicId}`;
}

async function deleteOne(
  broker: BrokerContext,
  entry: Wanted,
  repeated: boolean,
): Promise<DeletedTopic> {
  const { name, topicId } = entry;
  const result = (errorCode: number, errorMessage: string | null, topic?: Topic): DeletedTopic => ({
    name: topic?.name ?? name,
    topicId: topic?.topicId ?? topicId,
    errorCode,
    errorMessage,
  });
  if (repeated) return result(ErrorCode.INVALID_REQUEST, "the topic is named twice");
  if (name !== null && topicId !== ZERO_UUID)
    return result(ErrorCode.INVALID_REQUEST, "both a name and an id");
  if (name === null && topicId === ZERO_UUID)
    return result(ErrorCode.INVALID_REQUEST, "neither a name nor an id");
  const topic = name === null ? broker.topics.byId(topicId) : broker.topics.byName(name);
  if (topic === undefined) {
    return name === null
      ? result(ErrorCode.UNKNOWN_TOPIC_ID, "there is no topic with this id")
      : result(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "there is no such topic");
  }
  try {
    await broker.topics.delete(topic.topicId);
    return result(ErrorCode.NONE, null, topic);
  } catch (error) {
    return result(kafkaErrorOf(error), errorMessageOf(error));
  }
}
