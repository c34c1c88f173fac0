import type { Isolation, PartitionLog, PartitionRead } from "@karst/core";
import { ErrorCode, type FetchRequest, type FetchResponseInput } from "@karst/kafka-protocol";
import { isKarstError } from "@karst/runtime";
import { errorMessageOf, kafkaErrorOf } from "../kafka-errors.ts";
import type { BrokerContext, Handling, RequestContext } from "./handler.ts";
import { leaderEpochProblem } from "./leader-epoch.ts";
import { resolveTopic } from "./topic-names.ts";

/*
 * Fetch, versions 4–17, without sessions (KIP-227): every answer has session id 0, which clients take as "none"; a request that continues a
 * session gets FETCH_SESSION_ID_NOT_FOUND. A request whose bytes do not suffice yet waits, woken by the appends.
 *
 * Not here: DivergingEpoch (an epoch of one stream never loses acknowledged records to another), preferred replicas, followers.
 */

const FIRST_VERSION_WITH_TOPIC_IDS = 13;
const READ_COMMITTED = 1;
const NO_SESSION_EPOCHS: ReadonlySet<number> = new Set([0, -1]);

type WantedPartition = FetchRequest["topics"][number]["partitions"][number];
type FetchedTopic = FetchResponseInput["responses"][number];
type FetchedPartition = FetchedTopic["partitions"][number];

/** One partition of the request: the log to read, or the error to answer. */
type Source =
  | { readonly tag: "log"; readonly log: PartitionLog; readonly wanted: WantedPartition }
  | { readonly tag: "error"; readonly errorCode: number; readonly wanted: WantedPartition };

/** One pass over the sources. `release` ends the loan of the record bytes. */
interface Gathered {
  readonly partitions: readonly (readonly FetchedPartition[])[];
  readonly bytes: number;
  readonly failed: boolean;
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
  let gathered: Gathered | undefined;
  let released = false;
  const answer = async (): Promise<FetchResponseInput> => {
    if (!NO_SESSION_EPOCHS.has(request.sessionEpoch)) {
      return { errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND, responses: [] };
    }
    const sources = await openSources(broker, request, context.version);
    const result = await gatherEnough(broker, request, context, sources);
    if (released) result.release();
    else gathered = result;
    broker.counters.fetchedBytes.add(result.bytes);
    return {
      errorCode: ErrorCode.NONE,
      responses: request.topics.map(({ topic, topicId }, at) => ({
        topic,
        topicId,
        partitions: result.partitions[at] ?? [],
      })),
    };
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

async function openSources(
  broker: BrokerContext,
  request: FetchRequest,
  version: number,
): Promise<readonly (readonly Source[])[]> {
  const byId = version >= FIRST_VERSION_WITH_TOPIC_IDS;
  const sources: Source[][] = [];
  for (const { topic: name, topicId, partitions } of request.topics) {
    const topic = resolveTopic(broker.topics, { name, topicId }, byId);
    const perTopic: Source[] = [];
    for (const wanted of partitions) {
      const index = wanted.partition;
      if (topic === undefined || index < 0 || index >= topic.partitions) {
        const unknownId = topic === undefined && byId;
        const errorCode = unknownId
          ? ErrorCode.UNKNOWN_TOPIC_ID
          : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
        perTopic.push({ tag: "error", errorCode, wanted });
        continue;
      }
      try {
        const open = broker.topics.openPartition(topic.topicId, index);
        const log = open ?? (await broker.topics.partition(topic.topicId, index));
        perTopic.push({ tag: "log", log, wanted });
      } catch (error) {
        broker.log.warn("partition-open-failed", {
          topic: topic.topicId,
          partition: index,
          reason: errorMessageOf(error),
        });
        perTopic.push({ tag: "error", errorCode: kafkaErrorOf(error), wanted });
      }
    }
    sources.push(perTopic);
  }
  return sources;
}

/** Gathers until there is enough, something is wrong, or the time is over. */
async function gatherEnough(
  broker: BrokerContext,
  request: FetchRequest,
  context: RequestContext,
  sources: readonly (readonly Source[])[],
): Promise<Gathered> {
  const logs = sources.flat().flatMap((source) => (source.tag === "log" ? [source.log] : []));
  const waitMs = Math.min(request.maxWaitMs, broker.limits.fetchWaitMsMax);
  const deadlineMs = broker.runtime.clock.monotonicMs() + waitMs;
  // More than may be answered can never be there.
  const wantedBytes = Math.min(request.minBytes, request.maxBytes, broker.limits.fetchBytesMax);
  for (;;) {
    const wake = new Wake(broker, context, logs);
    try {
      const gathered = await gather(broker, request, sources);
      const leftMs = deadlineMs - broker.runtime.clock.monotonicMs();
      const enough = gathered.bytes >= wantedBytes || gathered.failed || logs.length === 0;
      if (enough || leftMs <= 0 || wake.closed) return gathered;
      gathered.release();
      await wake.orAfter(leftMs);
    } finally {
      wake.cancel();
    }
  }
}

/** Subscribed before the logs are read, so that no advance falls between reading and waiting. */
class Wake {
  readonly #broker: BrokerContext;
  readonly #unsubscribe: (() => void)[];
  #woken = false;
  #closed = false;
  #resolve: (() => void) | undefined;

  constructor(broker: BrokerContext, context: RequestContext, logs: readonly PartitionLog[]) {
    this.#broker = broker;
    this.#unsubscribe = logs.map((log) => log.onAdvance(() => this.#wake()));
    this.#unsubscribe.push(
      context.onClosed(() => {
        this.#closed = true;
        this.#wake();
      }),
    );
  }

  get closed(): boolean {
    return this.#closed;
  }

  async orAfter(delayMs: number): Promise<void> {
    if (this.#woken) return;
    await new Promise<void>((resolve) => {
      this.#resolve = resolve;
      const timer = this.#broker.runtime.clock.setTimer(delayMs, resolve);
      this.#unsubscribe.push(() => timer.cancel());
    });
  }

  cancel(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#unsubscribe.length = 0;
  }

  #wake(): void {
    this.#woken = true;
    this.#resolve?.();
  }
}

async function gather(
  broker: BrokerContext,
  request: FetchRequest,
  sources: readonly (readonly Source[])[],
): Promise<Gathered> {
  const isolation: Isolation =
    request.isolationLevel === READ_COMMITTED ? "read_committed" : "read_uncommitted";
  const reads: PartitionRead[] = [];
  let left = Math.min(Math.max(request.maxBytes, 0), broker.limits.fetchBytesMax);
  let bytes = 0;
  let failed = false;
  const partitions: FetchedPartition[][] = [];
  try {
    for (const perTopic of sources) {
      const fetched: FetchedPartition[] = [];
      for (const source of perTopic) {
        // The first batch of the response always comes, whatever the limits say: else a large one would stop its readers for ever.
        const bytesMax = bytes === 0 ? Math.max(left, 1) : left;
        const result = await readOne(broker, source, bytesMax, isolation);
        if (result.read !== undefined) reads.push(result.read);
        failed ||= result.partition.errorCode !== ErrorCode.NONE;
        bytes += result.bytes;
        left = Math.max(0, left - result.bytes);
        fetched.push(result.partition);
      }
      partitions.push(fetched);
    }
  } catch (error) {
    for (const read of reads) read.release();
    throw error;
  }
  return { partitions, bytes, failed, release: () => reads.forEach((read) => read.release()) };
}

interface ReadResult {
  readonly partition: FetchedPartition;
  readonly bytes: number;
  readonly read?: PartitionRead;
}

async function readOne(
  broker: BrokerContext,
  source: Source,
  bytesLeft: number,
  isolation: Isolation,
): Promise<ReadResult> {
  const { wanted } = source;
  if (source.tag === "error") return failedRead(wanted, source.errorCode);
  const { log } = source;
  const problem = leaderEpochProblem(log, wanted.currentLeaderEpoch);
  if (problem !== undefined) return failedRead(wanted, problem);
  const from = wanted.fetchOffset;
  if (from < log.logStartOffset || from > log.logEndOffset)
    return failedRead(wanted, ErrorCode.OFFSET_OUT_OF_RANGE, log);
  const bound = isolation === "read_committed" ? log.lastStableOffset : log.highWatermark;
  if (from >= bound || bytesLeft <= 0)
    return { partition: fetchedPartition(wanted, log, isolation, []), bytes: 0 };
  try {
    const options = {
      from,
      bytesMax: Math.min(bytesLeft, Math.max(wanted.partitionMaxBytes, 1)),
      isolation,
    };
    const read = log.readCached(options) ?? (await log.read(options));
    const parts = read.batches.map((batch) => batch.payload);
    return {
      partition: fetchedPartition(wanted, read, isolation, parts),
      bytes: parts.reduce((sum, part) => sum + part.length, 0),
      read,
    };
  } catch (error) {
    reportFailedRead(broker, log, from, error);
    return failedRead(wanted, kafkaErrorOf(error), log);
  }
}

/** The protocol has no room for words: what is not the client's doing is said here. */
function reportFailedRead(
  broker: BrokerContext,
  { topicId, partition }: PartitionLog,
  offset: number,
  error: unknown,
): void {
  if (isKarstError(error, "out_of_range", "closed", "fenced")) return;
  const fields = { topic: topicId, partition, offset, reason: String(error) };
  if (isKarstError(error, "unavailable")) broker.log.warn("fetch-failed", fields);
  else broker.log.error("fetch-failed", fields);
}

function fetchedPartition(
  wanted: WantedPartition,
  at: Pick<PartitionRead, "highWatermark" | "lastStableOffset" | "logStartOffset"> & {
    readonly abortedTransactions?: PartitionRead["abortedTransactions"];
  },
  isolation: Isolation,
  records: readonly Uint8Array[],
): FetchedPartition {
  return {
    partitionIndex: wanted.partition,
    errorCode: ErrorCode.NONE,
    highWatermark: at.highWatermark,
    lastStableOffset: at.lastStableOffset,
    logStartOffset: at.logStartOffset,
    abortedTransactions: isolation === "read_committed" ? (at.abortedTransactions ?? []) : null,
    records,
  };
}

function failedRead(wanted: WantedPartition, errorCode: number, log?: PartitionLog): ReadResult {
  return {
    partition: {
      partitionIndex: wanted.partition,
      errorCode,
      highWatermark: log?.highWatermark ?? -1,
      lastStableOffset: -1,
      logStartOffset: log?.logStartOffset ?? -1,
      abortedTransactions: null,
      records: [],
    },
    bytes: 0,
  };
}
