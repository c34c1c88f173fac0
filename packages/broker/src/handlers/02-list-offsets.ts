import type { PartitionLog } from "@karst/core";
import {
  ErrorCode,
  type ListOffsetsRequest,
  type ListOffsetsResponseInput,
} from "@karst/kafka-protocol";
import { kafkaErrorOf } from "../kafka-errors.ts";
import type { BrokerContext, Handling, RequestContext } from "./handler.ts";
import { leaderEpochProblem } from "./leader-epoch.ts";

/*
 * ListOffsets, versions 1–11. Special timestamps: -1 latest, -2 earliest, -3 greatest timestamp (v7), -4 earliest local (v8: the log start, there
 * is no tier that clients could tell from it), -5 latest tiered (v9: none), -6 earliest pending upload (v11: none, for the same reason).
 * `timeoutMs` is not used: nothing here waits for others.
 */

const LATEST = -1;
const EARLIEST = -2;
const MAX_TIMESTAMP = -3;
const EARLIEST_LOCAL = -4;
const LATEST_TIERED = -5;
const EARLIEST_PENDING_UPLOAD = -6;
const READ_COMMITTED = 1;
const FIRST_VERSION_WITH_LEADER_EPOCH = 4;

/** Version from which a special timestamp is legal. */
const firstVersionOf: ReadonlyMap<number, number> = new Map([
  [LATEST, 1],
  [EARLIEST, 1],
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL, 8],
  [LATEST_TIERED, 9],
  [EARLIEST_PENDING_UPLOAD, 11],
]);

type WantedPartition = ListOffsetsRequest["topics"][number]["partitions"][number];
type PartitionOffset = ListOffsetsResponseInput["topics"][number]["partitions"][number];

export function listOffsets(
  broker: BrokerContext,
  request: ListOffsetsRequest,
  context: RequestContext,
): Handling<ListOffsetsResponseInput> {
  return { response: listAll(broker, request, context.version) };
}

async function listAll(
  broker: BrokerContext,
  request: ListOffsetsRequest,
  version: number,
): Promise<ListOffsetsResponseInput> {
  const repeated = repeatedPartitions(request);
  const topics: { name: string; partitions: PartitionOffset[] }[] = [];
  for (const { name, partitions } of request.topics) {
    const answers: PartitionOffset[] = [];
    for (const wanted of partitions) {
      const { partitionIndex } = wanted;
      if (!repeated.has(`${name}/${partitionIndex}`)) {
        const committed = request.isolationLevel === READ_COMMITTED;
        answers.push(await listOne(broker, name, wanted, committed, version));
      } else if (!answers.some((answer) => answer.partitionIndex === partitionIndex)) {
        answers.push({ partitionIndex, errorCode: ErrorCode.INVALID_REQUEST });
      }
    }
    topics.push({ name, partitions: answers });
  }
  return { topics };
}

function repeatedPartitions(request: ListOffsetsRequest): ReadonlySet<string> {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { name, partitions } of request.topics) {
    for (const { partitionIndex } of partitions) {
      const id = `${name}/${partitionIndex}`;
      if (seen.has(id)) repeated.add(id);
      seen.add(id);
    }
  }
  return repeated;
}

async function listOne(
  broker: BrokerContext,
  name: string,
  wanted: WantedPartition,
  committed: boolean,
  version: number,
): Promise<PartitionOffset> {
  const { partitionIndex, timestamp } = wanted;
  const failed = (errorCode: number): PartitionOffset => ({ partitionIndex, errorCode });
  if (timestamp < 0 && version < (firstVersionOf.get(timestamp) ?? Number.POSITIVE_INFINITY)) {
    return failed(ErrorCode.UNSUPPORTED_VERSION);
  }
  const topic = broker.topics.byName(name);
  if (topic === undefined || partitionIndex < 0 || partitionIndex >= topic.partitions) {
    return failed(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  }
  try {
    const log = await broker.topics.partition(topic.topicId, partitionIndex);
    const problem = leaderEpochProblem(log, wanted.currentLeaderEpoch);
    return problem === undefined
      ? {
          partitionIndex,
          errorCode: ErrorCode.NONE,
          ...(await find(log, timestamp, committed, version >= FIRST_VERSION_WITH_LEADER_EPOCH)),
        }
      : failed(problem);
  } catch (error) {
    return failed(kafkaErrorOf(error));
  }
}

interface Found {
  readonly timestamp?: number;
  readonly offset: number;
  readonly leaderEpoch?: number;
}

async function find(
  log: PartitionLog,
  timestamp: number,
  committed: boolean,
  withEpoch: boolean,
): Promise<Found | undefined> {
  const epochAt = (offset: number): Pick<Found, "leaderEpoch"> =>
    withEpoch ? { leaderEpoch: log.leaderEpochAt(offset) } : {};
  const at = (offset: number): Found => ({ offset, ...epochAt(offset) });
  switch (timestamp) {
    case LATEST:
      return at(committed ? log.lastStableOffset : log.highWatermark);
    case EARLIEST:
    case EARLIEST_LOCAL:
      return at(log.logStartOffset);
    case LATEST_TIERED:
    case EARLIEST_PENDING_UPLOAD:
      return undefined;
    default: {
      const found =
        timestamp === MAX_TIMESTAMP
          ? await log.offsetOfMaxTimestamp()
          : await log.offsetForTimestamp(timestamp);
      if (found === undefined) return undefined;
      return { timestamp: found.timestampMs, ...at(found.offset) };
    }
  }
}
