import type { Isolation } from "@karst/core";
import { ErrorCode, type FetchRequest, type FetchResponseInput } from "@karst/kafka-protocol";
import type { WantedPartition } from "../fetch/fetch-session.ts";
import {
  type FetchAnswer,
  type FetchedPartition,
  readPartition,
  type Source,
} from "../fetch/read-partition.ts";
import { Wake } from "../fetch/wake.ts";
import { errorMessageOf, kafkaErrorOf } from "../kafka-errors.ts";
import type { BrokerContext, Handling, RequestContext } from "./handler.ts";
import { resolveTopic } from "./topic-names.ts";

/*
 * Fetch, versions 4–18, with sessions (KIP-227) from 7 and topic ids from 13. A request whose bytes do not suffice yet waits, woken by the
 * appends. A request that continues a session takes effect on it at once; one that waits while the next of its session comes is
 * answered with INVALID_FETCH_SESSION_EPOCH.
 *
 * Not here: preferred replicas, followers (and with them the high watermark hint of v18), INCONSISTENT_TOPIC_ID (a log is found by its
 * topic's id: there is no other that it could have).
 */

const FIRST_VERSION_WITH_TOPIC_IDS = 13;
const READ_COMMITTED = 1;

/** One pass over the sources. `release` ends the loan of the record bytes. */
interface Gathered {
  readonly answers: readonly FetchAnswer[];
  readonly bytes: number;
  /** Something is to be told at once, however few the bytes. */
  readonly urgent: boolean;
  release(): void;
}

export interface FetchHandling extends Handling<FetchResponseInput> {
  /** Ends the loan of the response's record bytes; called once, after it was sent or given up. */
  readonly release: () => void;
}

export function fetch(
  broker: BrokerContext,
  request: FetchRequest,
  context: RequestContext,
): FetchHandling {
  const { clock } = broker.runtime;
  let gathered: Gathered | undefined;
  let released = false;
  const answer = async (): Promise<FetchResponseInput> => {
    const byId = context.version >= FIRST_VERSION_WITH_TOPIC_IDS;
    const step = broker.fetchSessions.begin(request, byId, clock.monotonicMs());
    if (step.tag === "refused") return { errorCode: step.errorCode, responses: [] };
    const sources = await openSources(broker, step.wanted, byId);
    const result = await gatherEnough(broker, request, context, sources);
    if (released) result.release();
    else gathered = result;
    const { errorCode, sessionId, answers } = broker.fetchSessions.reply(
      step,
      result.answers,
      clock.monotonicMs(),
    );
    for (const { bytes } of answers) broker.counters.fetchedBytes.add(bytes);
    return { errorCode, sessionId, responses: byTopic(answers) };
  };
  return {
    response: answer(),
    release: () => {
      released = true;
      gathered?.release();
      gathered = undefined;
    },
  };
}

/** A topic whose partitions do not follow each other comes as often as they are apart. */
function byTopic(answers: readonly FetchAnswer[]): FetchResponseInput["responses"] {
  const topics: { topic: string; topicId: string; partitions: FetchedPartition[] }[] = [];
  for (const { wanted, partition } of answers) {
    const { topic, topicId } = wanted;
    const last = topics.at(-1);
    if (last !== undefined && last.topic === topic && last.topicId === topicId)
      last.partitions.push(partition);
    else topics.push({ topic, topicId, partitions: [partition] });
  }
  return topics;
}

async function openSources(
  broker: BrokerContext,
  partitions: readonly WantedPartition[],
  byId: boolean,
): Promise<readonly Source[]> {
  const sources: Source[] = [];
  for (const wanted of partitions) {
    const { topic: name, topicId, partition } = wanted;
    const topic = resolveTopic(broker.topics, { name, topicId }, byId);
    if (topic === undefined || partition < 0 || partition >= topic.partitions) {
      const unknownId = topic === undefined && byId;
      const errorCode = unknownId
        ? ErrorCode.UNKNOWN_TOPIC_ID
        : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
      sources.push({ tag: "error", errorCode, wanted });
      continue;
    }
    try {
      const open = broker.topics.openPartition(topic.topicId, partition);
      const log = open ?? (await broker.topics.partition(topic.topicId, partition));
      sources.push({ tag: "log", log, wanted });
    } catch (error) {
      broker.log.warn("partition-open-failed", {
        topic: topic.topicId,
        partition,
        reason: errorMessageOf(error),
      });
      sources.push({ tag: "error", errorCode: kafkaErrorOf(error), wanted });
    }
  }
  return sources;
}

/** Gathers until there is enough, something is wrong, or the time is over. */
async function gatherEnough(
  broker: BrokerContext,
  request: FetchRequest,
  context: RequestContext,
  sources: readonly Source[],
): Promise<Gathered> {
  const { clock } = broker.runtime;
  const logs = sources.flatMap((source) => (source.tag === "log" ? [source.log] : []));
  const waitMs = Math.min(request.maxWaitMs, broker.limits.fetchWaitMsMax);
  const deadlineMs = clock.monotonicMs() + waitMs;
  // More than may be answered can never be there.
  const wantedBytes = Math.min(request.minBytes, request.maxBytes, broker.limits.fetchBytesMax);
  for (;;) {
    const wake = new Wake(clock, context, logs);
    try {
      const gathered = await gather(broker, request, sources);
      const leftMs = deadlineMs - clock.monotonicMs();
      const enough = gathered.bytes >= wantedBytes || gathered.urgent || logs.length === 0;
      if (enough || leftMs <= 0 || wake.closed) return gathered;
      gathered.release();
      await wake.orAfter(leftMs);
    } finally {
      wake.cancel();
    }
  }
}

async function gather(
  broker: BrokerContext,
  request: FetchRequest,
  sources: readonly Source[],
): Promise<Gathered> {
  const isolation: Isolation =
    request.isolationLevel === READ_COMMITTED ? "read_committed" : "read_uncommitted";
  let left = Math.min(Math.max(request.maxBytes, 0), broker.limits.fetchBytesMax);
  let bytes = 0;
  let urgent = false;
  const answers: FetchAnswer[] = [];
  const release = (): void => answers.forEach(({ read }) => read?.release());
  try {
    for (const source of sources) {
      // The first batch of the response always comes, whatever the limits say: else a large one would stop its readers for ever.
      const bytesMax = bytes === 0 ? Math.max(left, 1) : left;
      const answer = await readPartition(broker, source, bytesMax, isolation);
      answers.push(answer);
      urgent ||= answer.errorCode !== ErrorCode.NONE || answer.diverges;
      bytes += answer.bytes;
      left = Math.max(0, left - answer.bytes);
    }
  } catch (error) {
    release();
    throw error;
  }
  return { answers, bytes, urgent, release };
}
