import {
  ErrorCode,
  type OffsetDeleteRequest,
  type OffsetDeleteResponseInput,
} from "@karst/kafka-protocol";
import type { LiveGroups } from "../groups/live-groups.ts";
import { subscribesTo } from "../groups/subscription.ts";
import type { BrokerContext, Handling } from "./handler.ts";

/*
 * OffsetDelete, version 0. Offsets of a topic that members of the group subscribe to stay. Answered when it is on record that the others
 * are gone; a topic that exists and of which nothing was named is left out.
 */

export function offsetDelete(
  broker: BrokerContext,
  request: OffsetDeleteRequest,
): Handling<OffsetDeleteResponseInput> {
  const access = broker.groups.access;
  if (access.tag === "refused") return { response: { errorCode: access.errorCode, topics: [] } };
  return { response: deleteOffsets(broker, access.groups, request) };
}

async function deleteOffsets(
  broker: BrokerContext,
  groups: LiveGroups,
  request: OffsetDeleteRequest,
): Promise<OffsetDeleteResponseInput> {
  const { groupId } = request;
  if (groupId === "") return { errorCode: ErrorCode.INVALID_GROUP_ID, topics: [] };
  const entry = groups.get(groupId);
  if (entry === undefined) return await refusal(groups, groupId, ErrorCode.GROUP_ID_NOT_FOUND);
  const { group } = entry;
  if (group.phase !== "Empty" && group.protocolType !== "consumer")
    return await refusal(groups, groupId, ErrorCode.NON_EMPTY_GROUP);
  const gone: { topicId: string; partition: number }[] = [];
  const wanted = request.topics.filter(
    ({ name, partitions }) => partitions.length > 0 || broker.topics.byName(name) === undefined,
  );
  const topics = wanted.map(({ name, partitions }) => {
    const topic = broker.topics.byName(name);
    return {
      name,
      partitions: partitions.map(({ partitionIndex }) => {
        if (topic === undefined || partitionIndex < 0 || partitionIndex >= topic.partitions)
          return { partitionIndex, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION };
        if (subscribesTo(group, name))
          return { partitionIndex, errorCode: ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC };
        gone.push({ topicId: topic.topicId, partition: partitionIndex });
        return { partitionIndex, errorCode: ErrorCode.NONE };
      }),
    };
  });
  const errorCode = gone.length === 0 ? ErrorCode.NONE : await groups.deleteOffsets(groupId, gone);
  return errorCode === ErrorCode.NONE ? { errorCode, topics } : { errorCode, topics: [] };
}

async function refusal(
  groups: LiveGroups,
  groupId: string,
  errorCode: number,
): Promise<OffsetDeleteResponseInput> {
  try {
    await groups.durableOf(groupId);
  } catch {
    return { errorCode: ErrorCode.NOT_COORDINATOR, topics: [] };
  }
  return { errorCode, topics: [] };
}
