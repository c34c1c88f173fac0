import { ZERO_UUID } from "@karst/kafka-protocol";
import { MemoryBudget, MemoryShare } from "@karst/runtime";
import type { PartitionAnswer, WantedPartition } from "../../src/fetch/fetch-session.ts";
import { FetchSessions, type SessionRequest } from "../../src/fetch/fetch-sessions.ts";

export const IDLE_MS = 120_000;

/** Sessions with the ids 1, 2, 3… */
export function countedSessions(
  options: {
    readonly sessionsMax?: number;
    readonly partitionsMax?: number;
    readonly bytesMax?: number;
    readonly budget?: MemoryBudget;
  } = {},
): FetchSessions {
  let id = 0;
  const { budget = new MemoryBudget(1_000_000), ...limits } = options;
  return new FetchSessions({
    sessionsMax: 1_000,
    partitionsMax: 1_000,
    bytesMax: Infinity,
    idleMs: IDLE_MS,
    newId: () => (id += 1),
    memory: new MemoryShare(budget, "fetch sessions"),
    ...limits,
  });
}

/** Partitions of the topic "t", each with the offset to fetch from. */
export type Offsets = readonly (readonly [partition: number, fetchOffset: number])[];

export function requestOf(
  session: readonly [id: number, epoch: number],
  offsets: Offsets,
  forgotten: readonly number[] = [],
): SessionRequest {
  const [sessionId, sessionEpoch] = session;
  const topic = { topic: "t", topicId: ZERO_UUID };
  return {
    sessionId,
    sessionEpoch,
    topics: [
      {
        ...topic,
        partitions: offsets.map(([partition, fetchOffset]) => ({
          partition,
          fetchOffset,
          currentLeaderEpoch: -1,
          lastFetchedEpoch: -1,
          logStartOffset: -1,
          partitionMaxBytes: 1_000,
          replicaDirectoryId: ZERO_UUID,
          highWatermark: Number.MAX_SAFE_INTEGER,
        })),
      },
    ],
    forgottenTopicsData: [{ ...topic, partitions: [...forgotten] }],
  };
}

/** A log as far as an answer shows it; an error: it cannot be read. */
export interface LogSight {
  readonly start: number;
  readonly end: number;
  readonly errorCode?: number;
}

/** All that could be said of a partition. */
export function answerOf(wanted: WantedPartition, log: LogSight): PartitionAnswer {
  const errorCode = log.errorCode ?? 0;
  const failed = errorCode !== 0;
  return {
    wanted,
    errorCode,
    highWatermark: failed ? -1 : log.end,
    logStartOffset: failed ? -1 : log.start,
    bytes: failed ? 0 : Math.max(0, log.end - wanted.fetchOffset),
    diverges: false,
  };
}
