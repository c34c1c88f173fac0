import {
  ErrorCode,
  type OffsetFetchRequest,
  type OffsetFetchResponseInput,
  ZERO_UUID,
} from "@karst/kafka-protocol";
import type { GroupOffsets } from "../groups/group-offsets.ts";
import type { CommittedOffset } from "../groups/group-records.ts";
import type { BrokerContext, Handling, RequestContext } from "./handler.ts";
import { resolveTopic } from "./topic-names.ts";

/*
 * OffsetFetch, versions 1–10. What is answered is durable. `requireStable` is always given: there are no transactions yet. Member epochs
 * (from v9) are not looked at: they are of groups of the newer protocol. Offsets of topics that are gone are not shown.
 */

const FIRST_VERSION_WITH_TOPIC_IDS = 10;
const FIRST_VERSION_WITH_GROUPS = 8;
const FIRST_VERSION_WITH_ERROR = 2;

type GroupResponse = NonNullable<OffsetFetchResponseInput["groups"]>[number];
type TopicResponse = GroupResponse["topics"][number];
type PartitionResponse = TopicResponse["partitions"][number];

interface WantedGroup {
  readonly groupId: string;
  /** null: everything. */
  readonly topics:
    | readonly {
        readonly name: string;
        readonly topicId: string;
        readonly partitionIndexes: readonly number[];
      }[]
    | null;
}

export function offsetFetch(
  broker: BrokerContext,
  request: OffsetFetchRequest,
  context: RequestContext,
): Handling<OffsetFetchResponseInput> {
  const { version } = context;
  if (version >= FIRST_VERSION_WITH_GROUPS) {
    const byId = version >= FIRST_VERSION_WITH_TOPIC_IDS;
    const groups = request.groups.map((wanted) => fetchGroup(broker, wanted, byId));
    return { response: Promise.all(groups).then((all) => ({ groups: all })) };
  }
  const topics = request.topics?.map((topic) => ({ ...topic, topicId: ZERO_UUID })) ?? null;
  const one = fetchGroup(broker, { groupId: request.groupId, topics }, false);
  return {
    response: one.then(({ topics: found, errorCode = ErrorCode.NONE }) => ({
      // Version 1 has no error but those of partitions.
      topics: (version < FIRST_VERSION_WITH_ERROR && errorCode !== ErrorCode.NONE
        ? refused({ groupId: request.groupId, topics }, errorCode)
        : found
      ).map(({ name = "", partitions }) => ({ name, partitions })),
      errorCode,
    })),
  };
}

async function fetchGroup(
  broker: BrokerContext,
  wanted: WantedGroup,
  byId: boolean,
): Promise<GroupResponse> {
  const { groupId } = wanted;
  const access = broker.groups.access;
  if (access.tag === "refused") return { groupId, topics: [], errorCode: access.errorCode };
  const offsets = access.groups.get(groupId)?.offsets;
  const topics =
    wanted.topics === null
      ? everything(broker, offsets)
      : chosen(broker, wanted.topics, offsets, byId);
  try {
    // What was just read may rest on commits that are not durable yet.
    await access.groups.durableOf(groupId);
  } catch {
    return { groupId, topics: [], errorCode: ErrorCode.NOT_COORDINATOR };
  }
  return { groupId, topics, errorCode: ErrorCode.NONE };
}

function chosen(
  broker: BrokerContext,
  topics: NonNullable<WantedGroup["topics"]>,
  offsets: GroupOffsets | undefined,
  byId: boolean,
): TopicResponse[] {
  return topics.map((entry) => {
    const topic = resolveTopic(broker.topics, entry, byId);
    const errorCode = byId && topic === undefined ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.NONE;
    return {
      name: entry.name,
      topicId: entry.topicId,
      partitions: entry.partitionIndexes.map((index) =>
        partitionOf(index, topic && offsets?.get(topic.topicId, index), errorCode),
      ),
    };
  });
}

function everything(broker: BrokerContext, offsets: GroupOffsets | undefined): TopicResponse[] {
  const topics = new Map<string, { name: string; partitions: PartitionResponse[] }>();
  for (const { topicId, partition, committed } of offsets?.entries() ?? []) {
    const name = broker.topics.byId(topicId)?.name;
    if (name === undefined) continue;
    const topic = topics.get(topicId) ?? { name, partitions: [] };
    topics.set(topicId, topic);
    topic.partitions.push(partitionOf(partition, committed, ErrorCode.NONE));
  }
  return [...topics].map(([topicId, topic]) => ({ topicId, ...topic }));
}

/** undefined: nothing is committed. */
function partitionOf(
  partitionIndex: number,
  committed: CommittedOffset | undefined,
  errorCode: number,
): PartitionResponse {
  return {
    partitionIndex,
    committedOffset: committed?.offset ?? -1,
    committedLeaderEpoch: committed?.leaderEpoch ?? -1,
    metadata: committed?.metadata ?? "",
    errorCode,
  };
}

function refused({ topics }: WantedGroup, errorCode: number): TopicResponse[] {
  return (topics ?? []).map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((index) => partitionOf(index, undefined, errorCode)),
  }));
}
