import {
  ErrorCode,
  type OffsetForLeaderEpochRequest,
  type OffsetForLeaderEpochResponseInput,
} from "@karst/kafka-protocol";
import { kafkaErrorOf } from "../kafka-errors.ts";
import type { BrokerContext, Handling } from "./handler.ts";
import { leaderEpochProblem } from "./leader-epoch.ts";

/*
 * OffsetForLeaderEpoch, versions 2–4: where the records of a leader epoch end, so that a client finds out whether what it has read is still
 * there. The end of the latest epoch is the high watermark: what is not durable is not told. An epoch that is newer than all has
 * neither epoch nor end (-1); for one that is older than all that is remembered, the end is where the log begins. The replica
 * id is not used.
 */

type WantedPartition = OffsetForLeaderEpochRequest["topics"][number]["partitions"][number];
type EndOfEpoch = OffsetForLeaderEpochResponseInput["topics"][number]["partitions"][number];

const UNDEFINED = { epoch: -1, endOffset: -1 };

export function offsetForLeaderEpoch(
  broker: BrokerContext,
  request: OffsetForLeaderEpochRequest,
): Handling<OffsetForLeaderEpochResponseInput> {
  return { response: findAll(broker, request) };
}

async function findAll(
  broker: BrokerContext,
  request: OffsetForLeaderEpochRequest,
): Promise<OffsetForLeaderEpochResponseInput> {
  const topics: { topic: string; partitions: EndOfEpoch[] }[] = [];
  for (const { topic, partitions } of request.topics) {
    const found: EndOfEpoch[] = [];
    for (const wanted of partitions) found.push(await findOne(broker, topic, wanted));
    topics.push({ topic, partitions: found });
  }
  return { topics };
}

async function findOne(
  broker: BrokerContext,
  name: string,
  { partition, currentLeaderEpoch, leaderEpoch }: WantedPartition,
): Promise<EndOfEpoch> {
  const topic = broker.topics.byName(name);
  if (topic === undefined || partition < 0 || partition >= topic.partitions)
    return { partition, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION };
  try {
    const log = await broker.topics.partition(topic.topicId, partition);
    const problem = leaderEpochProblem(log, currentLeaderEpoch);
    if (problem !== undefined) return { partition, errorCode: problem };
    const { epoch, endOffset } = log.endOfLeaderEpoch(leaderEpoch) ?? UNDEFINED;
    return { partition, errorCode: ErrorCode.NONE, leaderEpoch: epoch, endOffset };
  } catch (error) {
    return { partition, errorCode: kafkaErrorOf(error) };
  }
}
