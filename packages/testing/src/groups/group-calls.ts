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
import { type PartitionModel, type TopicModel, topicsOf } from "../kafka/topic-model.ts";
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

/** What is asked to be committed for one partition. */
export interface CommitEntry {
  readonly partition: PartitionModel;
  readonly offset: number;
  /** Beside the offset. */
  readonly metadata: string;
}

/** Whether this version names topics, in place of saying their ids. */
export function commitsByName({ commit }: Dialect): boolean {
  return commit < FIRST_COMMIT_WITH_TOPIC_IDS;
}

/** Resolves with the error of each entry. */
export async function commitOffsets<Entry extends CommitEntry>(
  connection: ClientConnection,
  dialect: Dialect,
  groupId: string,
  speaker: Speaker,
  entries: readonly Entry[],
): Promise<Answer<ReadonlyMap<Entry, number>>> {
  const { commit } = dialect;
  const topics = [...topicsOf(entries)];
  const answer = await connection.request(offsetCommitApi, commit, {
    groupId,
    generationIdOrMemberEpoch: speaker.generation,
    memberId: speaker.memberId,
    ...(commit >= FIRST_COMMIT_WITH_INSTANCES && { groupInstanceId: speaker.instanceId }),
    topics: topics.map(([topic, those]) => ({
      ...nameOrId(topic, commitsByName(dialect)),
      partitions: those.map(({ partition, offset, metadata }) => ({
        partitionIndex: partition.index,
        committedOffset: offset,
        committedMetadata: metadata,
      })),
    })),
  });
  if (answer.tag === "lost") return answer;
  const codes = new Map<Entry, number>();
  for (const [at, [topic, those]] of topics.entries()) {
    const told = answer.response.topics[at];
    for (const [i, entry] of those.entries()) {
      const one = told?.partitions[i];
      if (
        one?.partitionIndex !== entry.partition.index ||
        (commitsByName(dialect) ? told?.name !== topic.name : told?.topicId !== topic.topicId)
      )
        throw new Error(`OffsetCommit of ${entry.partition.name} answers ${one?.partitionIndex}`);
      codes.set(entry, one.errorCode);
    }
  }
  return { tag: "ok", response: codes };
}

/** One partition of an answer, as it was told. */
export interface ToldOffset {
  /** "": the answer has ids. */
  readonly name: string;
  readonly topicId: string;
  readonly index: number;
  /** < 0: nothing is committed. */
  readonly offset: number;
  readonly metadata: string;
  readonly errorCode: number;
}

/** Whether this version names topics, in place of saying their ids. */
export function fetchesByName({ fetch }: Dialect): boolean {
  return fetch < FIRST_FETCH_WITH_TOPIC_IDS;
}

export function canFetchAll({ fetch }: Dialect): boolean {
  return fetch >= FIRST_FETCH_OF_ALL;
}

/** @param partitions undefined: all that there are, in versions that can ask for them. */
export async function fetchOffsets(
  connection: ClientConnection,
  dialect: Dialect,
  groupId: string,
  partitions: readonly PartitionModel[] | undefined,
): Promise<Answer<{ readonly errorCode: number; readonly offsets: readonly ToldOffset[] }>> {
  const { fetch } = dialect;
  const wanted = partitions && [...topicsOf(partitions.map((partition) => ({ partition })))];
  const topics =
    wanted?.map(([topic, those]) => ({
      ...nameOrId(topic, fetchesByName(dialect)),
      partitionIndexes: those.map(({ partition }) => partition.index),
    })) ?? null;
  const answer = await connection.request(
    offsetFetchApi,
    fetch,
    fetch >= FIRST_FETCH_WITH_GROUPS
      ? { groups: [{ groupId, topics }] }
      : { groupId, topics: topics?.map((one) => ({ name: "", ...one })) ?? null },
  );
  if (answer.tag === "lost") return answer;
  const { response } = answer;
  const found = fetch >= FIRST_FETCH_WITH_GROUPS ? response.groups[0] : response;
  if (found === undefined) throw new Error("OffsetFetch answers nothing");
  const offsets: ToldOffset[] = [];
  for (const one of found.topics)
    for (const { partitionIndex, committedOffset, metadata, errorCode } of one.partitions)
      offsets.push({
        name: one.name,
        topicId: "topicId" in one ? one.topicId : "",
        index: partitionIndex,
        offset: committedOffset,
        metadata: metadata ?? "",
        errorCode,
      });
  return { tag: "ok", response: { errorCode: found.errorCode ?? ErrorCode.NONE, offsets } };
}

function nameOrId(
  { name, topicId }: TopicModel,
  byName: boolean,
): { name: string } | { topicId: string } {
  return byName ? { name } : { topicId: topicId ?? "" };
}
