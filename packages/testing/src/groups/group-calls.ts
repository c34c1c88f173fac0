import {
  ErrorCode,
  findCoordinatorApi,
  heartbeatApi,
  joinGroupApi,
  leaveGroupApi,
  offsetCommitApi,
  offsetFetchApi,
  syncGroupApi,
  type JoinGroupResponse,
} from "@karst/kafka-protocol";
import type { Answer, ClientConnection } from "../kafka/client-connection.ts";
import type { TopicModel } from "../kafka/topic-model.ts";
import type { Dialect } from "./dialect.ts";
import type { Speaker } from "./group-model.ts";

/*
 * Requests of a group's clients in every version. What an answer says of topics and partitions is what was asked, or it is a defect.
 */

const FIRST_FIND_WITH_KEYS = 4;
const FIRST_COMMIT_WITH_TOPIC_IDS = 10;
const FIRST_FETCH_WITH_GROUPS = 8;
const FIRST_FETCH_WITH_TOPIC_IDS = 10;
const FIRST_FETCH_OF_ALL = 2;
const FIRST_LEAVE_WITH_MEMBERS = 3;
const FIRST_JOIN_WITH_INSTANCES = 5;
const FIRST_SYNC_WITH_INSTANCES = 3;
const FIRST_SYNC_WITH_PROTOCOL = 5;
const FIRST_HEARTBEAT_WITH_INSTANCES = 3;
const FIRST_COMMIT_WITH_INSTANCES = 7;
/** A protocol that says where, too. */
const PROTOCOL_TYPE = "consumer";

/** An error, or none of a request as a whole. */
export type Code = Answer<number>;

export async function findCoordinator(
  connection: ClientConnection,
  dialect: Dialect,
  groupId: string,
): Promise<Code> {
  const several = dialect.find >= FIRST_FIND_WITH_KEYS;
  const answer = await connection.request(
    findCoordinatorApi,
    dialect.find,
    several ? { coordinatorKeys: [groupId], keyType: 0 } : { key: groupId },
  );
  if (answer.tag === "lost") return answer;
  const { errorCode } = several
    ? (answer.response.coordinators[0] ?? { errorCode: -1 })
    : answer.response;
  return { tag: "ok", response: errorCode };
}

export interface Joining {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocols: readonly string[];
  readonly metadata: Uint8Array;
}

export function joinGroup(
  connection: ClientConnection,
  { join }: Dialect,
  groupId: string,
  joining: Joining,
): Promise<Answer<JoinGroupResponse>> {
  const { memberId, instanceId, sessionTimeoutMs, rebalanceTimeoutMs, protocols } = joining;
  return connection.request(joinGroupApi, join, {
    groupId,
    memberId,
    ...(join >= FIRST_JOIN_WITH_INSTANCES && { groupInstanceId: instanceId }),
    sessionTimeoutMs,
    rebalanceTimeoutMs,
    protocolType: PROTOCOL_TYPE,
    protocols: protocols.map((name) => ({ name, metadata: joining.metadata })),
  });
}

export function syncGroup(
  connection: ClientConnection,
  { sync }: Dialect,
  groupId: string,
  speaker: Speaker,
  giving: {
    readonly protocolName: string;
    readonly assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[];
  },
): Promise<Answer<{ readonly errorCode: number; readonly assignment: Uint8Array }>> {
  return connection.request(syncGroupApi, sync, {
    groupId,
    generationId: speaker.generation,
    memberId: speaker.memberId,
    ...(sync >= FIRST_SYNC_WITH_INSTANCES && { groupInstanceId: speaker.instanceId }),
    ...(sync >= FIRST_SYNC_WITH_PROTOCOL && {
      protocolType: PROTOCOL_TYPE,
      protocolName: giving.protocolName,
    }),
    assignments: [...giving.assignments],
  });
}

export async function heartbeat(
  connection: ClientConnection,
  dialect: Dialect,
  groupId: string,
  speaker: Speaker,
): Promise<Code> {
  const answer = await connection.request(heartbeatApi, dialect.heartbeat, {
    groupId,
    generationId: speaker.generation,
    memberId: speaker.memberId,
    ...(dialect.heartbeat >= FIRST_HEARTBEAT_WITH_INSTANCES && {
      groupInstanceId: speaker.instanceId,
    }),
  });
  return answer.tag === "lost" ? answer : { tag: "ok", response: answer.response.errorCode };
}

/** @param memberId "": whoever has the instance id. */
export async function leaveGroup(
  connection: ClientConnection,
  { leave }: Dialect,
  groupId: string,
  { memberId, instanceId }: Omit<Speaker, "generation">,
): Promise<Code> {
  const several = leave >= FIRST_LEAVE_WITH_MEMBERS;
  const answer = await connection.request(
    leaveGroupApi,
    leave,
    several
      ? { groupId, members: [{ memberId, groupInstanceId: instanceId }] }
      : { groupId, memberId },
  );
  if (answer.tag === "lost") return answer;
  const { errorCode, members } = answer.response;
  const own = members?.[0]?.errorCode ?? ErrorCode.NONE;
  return { tag: "ok", response: errorCode === ErrorCode.NONE ? own : errorCode };
}

/** Resolves with the error of each partition. */
export async function commitOffsets(
  connection: ClientConnection,
  { commit }: Dialect,
  groupId: string,
  speaker: Speaker,
  what: {
    readonly topic: TopicModel;
    readonly partitions: readonly number[];
    readonly offset: number;
    /** Beside the offset; by partition. */
    readonly metadata: (partition: number) => string;
  },
): Promise<Answer<readonly number[]>> {
  const { topic, partitions, offset, metadata } = what;
  const byId = commit >= FIRST_COMMIT_WITH_TOPIC_IDS;
  const answer = await connection.request(offsetCommitApi, commit, {
    groupId,
    generationIdOrMemberEpoch: speaker.generation,
    memberId: speaker.memberId,
    ...(commit >= FIRST_COMMIT_WITH_INSTANCES && { groupInstanceId: speaker.instanceId }),
    topics: [
      {
        ...(byId ? { topicId: topic.topicId ?? "" } : { name: topic.name }),
        partitions: partitions.map((partitionIndex) => ({
          partitionIndex,
          committedOffset: offset,
          committedMetadata: metadata(partitionIndex),
        })),
      },
    ],
  });
  if (answer.tag === "lost") return answer;
  const [answered] = answer.response.topics;
  const codes = partitions.map((partition, at) => {
    const one = answered?.partitions[at];
    if (one?.partitionIndex !== partition)
      throw new Error(`OffsetCommit of ${partition} answers ${one?.partitionIndex}`);
    return one.errorCode;
  });
  return { tag: "ok", response: codes };
}

export interface Fetched {
  readonly errorCode: number;
  /** By partition; undefined: nothing is committed. */
  readonly offsets: ReadonlyMap<number, { readonly offset: number; readonly metadata: string }>;
}

/** @param partitions undefined: all that there are, in versions that can ask for them. */
export async function fetchOffsets(
  connection: ClientConnection,
  { fetch }: Dialect,
  groupId: string,
  topic: TopicModel,
  partitions: readonly number[] | undefined,
): Promise<Answer<Fetched>> {
  const byId = fetch >= FIRST_FETCH_WITH_TOPIC_IDS;
  const topics =
    partitions === undefined && fetch >= FIRST_FETCH_OF_ALL
      ? null
      : [{ partitionIndexes: [...(partitions ?? topic.partitions.keys())] }];
  const named = topics?.map((one) => ({
    ...one,
    ...(byId ? { topicId: topic.topicId ?? "" } : { name: topic.name }),
  }));
  const answer = await connection.request(
    offsetFetchApi,
    fetch,
    fetch >= FIRST_FETCH_WITH_GROUPS
      ? { groups: [{ groupId, topics: named ?? null }] }
      : { groupId, topics: topics?.map((one) => ({ ...one, name: topic.name })) ?? null },
  );
  if (answer.tag === "lost") return answer;
  const { response } = answer;
  const found =
    fetch >= FIRST_FETCH_WITH_GROUPS
      ? response.groups[0]
      : { topics: response.topics, errorCode: response.errorCode };
  if (found === undefined) throw new Error("OffsetFetch answers nothing");
  const offsets = new Map<number, { offset: number; metadata: string }>();
  let errorCode = found.errorCode ?? ErrorCode.NONE;
  for (const one of found.topics.flatMap((entry) => entry.partitions)) {
    if (one.errorCode !== ErrorCode.NONE) errorCode = one.errorCode;
    if (one.committedOffset >= 0)
      offsets.set(one.partitionIndex, {
        offset: one.committedOffset,
        metadata: one.metadata ?? "",
      });
  }
  return { tag: "ok", response: { errorCode, offsets } };
}
