import { ErrorCode, fetchApi, type FetchResponse, listOffsetsApi } from "@karst/kafka-protocol";
import { randomInteger } from "@karst/runtime";
import type { SeededRandom } from "@karst/runtime/testing";
import { chance, pick } from "../world/draw.ts";
import type { ClientConnection } from "./client-connection.ts";
import { type FetchedPartition, FetchSession } from "./fetch-session.ts";
import type { Floor } from "./ledger.ts";
import { isRefusal, isUnknown, isUnknownTopic, type Site } from "./site.ts";
import type { PartitionModel } from "./topic-model.ts";

const FIRST_FETCH_WITH_SESSIONS = 7;
const FIRST_FETCH_WITH_TOPIC_IDS = 13;
/** In percent: how often a client begins a session anew for reasons of its own, and how often it does where an answer was lost. */
const ANEW = 3;
const ANEW_WHEN_LOST = 60;
const SESSIONLESS = { sessionId: 0, sessionEpoch: -1 };
const FIRST_LIST_WITH_ISOLATION = 2;
/** After less time than this an answer with nothing is followed by a pause. */
const SHORT_WAIT_MS = 400;
const LATEST = -1;
const EARLIEST = -2;

export interface ReadingOptions {
  readonly fetchVersion: number;
  /** Whether it keeps a fetch session, from version 7. */
  readonly sessions: boolean;
  readonly listVersion: number;
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly partitionMaxBytes: number;
  readonly isolationLevel: 0 | 1;
}

/**
 * Where a consumer is in the partitions that it reads, and the requests by which it goes on.
 *
 * Invariant: a position is where the next record is asked for; partitions without one wait for `reset` or `begin`.
 */
export class LogReader {
  readonly #name: string;
  readonly #options: ReadingOptions;
  readonly #site: Site;
  readonly #random: SeededRandom;
  readonly #session: FetchSession | undefined;
  readonly #positions = new Map<PartitionModel, number>();
  #turn = 0;

  /** @param name whose polls these are, in the ledger. */
  constructor(name: string, options: ReadingOptions, site: Site, random: SeededRandom) {
    this.#name = name;
    this.#options = options;
    this.#site = site;
    this.#random = random;
    const { sessions, fetchVersion } = options;
    if (sessions && fetchVersion >= FIRST_FETCH_WITH_SESSIONS)
      this.#session = new FetchSession(fetchVersion >= FIRST_FETCH_WITH_TOPIC_IDS);
  }

  /** undefined: it is to be found out. */
  position(partition: PartitionModel): number | undefined {
    return this.#positions.get(partition);
  }

  /** Reads on from there. */
  begin(partition: PartitionModel, offset: number): void {
    this.#site.ledger.sought(this.#name, partition, offset);
    this.#positions.set(partition, offset);
  }

  /** Knows no position any more. */
  forget(): void {
    this.#positions.clear();
  }

  /** Goes to the start of these. */
  async reset(
    connection: ClientConnection,
    partitions: readonly PartitionModel[],
  ): Promise<boolean> {
    const found = await this.#list(connection, partitions, EARLIEST);
    for (const [partition, { offset, floor }] of found) {
      this.#site.ledger.told(partition, { logStart: offset }, floor);
      this.begin(partition, offset);
    }
    return found.size > 0;
  }

  /** Asks how far these go. */
  async askLatest(
    connection: ClientConnection,
    partitions: readonly PartitionModel[],
  ): Promise<void> {
    for (const [partition, { offset, floor }] of await this.#list(connection, partitions, LATEST))
      this.#site.ledger.told(partition, { highWatermark: offset }, floor);
  }

  async #list(
    connection: ClientConnection,
    partitions: readonly PartitionModel[],
    timestamp: number,
  ): Promise<ReadonlyMap<PartitionModel, { readonly offset: number; readonly floor: Floor }>> {
    const { ledger, world } = this.#site;
    const { listVersion, isolationLevel } = this.#options;
    const floors = partitions.map((partition) => ledger.floor(partition));
    const answer = await connection.request(listOffsetsApi, listVersion, {
      replicaId: -1,
      isolationLevel: listVersion >= FIRST_LIST_WITH_ISOLATION ? isolationLevel : 0,
      topics: partitions.map(({ topic, index }) => ({
        name: topic.name,
        partitions: [{ partitionIndex: index, timestamp }],
      })),
    });
    const found = new Map<PartitionModel, { offset: number; floor: Floor }>();
    if (answer.tag === "lost") return found;
    for (const [
      i,
      {
        name,
        partitions: [one],
      },
    ] of answer.response.topics.entries()) {
      const partition = partitions[i] as PartitionModel;
      if (name !== partition.topic.name || one?.partitionIndex !== partition.index)
        throw new Error(`an answer about ${name}/${one?.partitionIndex} to ${partition.name}`);
      world.tally.checked += 1;
      if (!partition.topic.isLive) continue;
      if (one.errorCode === ErrorCode.NONE)
        found.set(partition, { offset: one.offset, floor: floors[i] as Floor });
      else this.#tolerate(partition, one.errorCode);
    }
    return found;
  }

  /** Reads on, of partitions with a position. @returns false: nothing came, and nothing was waited for. */
  async poll(connection: ClientConnection, assigned: readonly PartitionModel[]): Promise<boolean> {
    const { ledger, world } = this.#site;
    const { fetchVersion, maxWaitMs, minBytes, maxBytes, partitionMaxBytes, isolationLevel } =
      this.#options;
    // Each in turn is the first one: the others may get nothing.
    this.#turn += 1;
    const first = this.#turn % assigned.length;
    const partitions = [...assigned.slice(first), ...assigned.slice(0, first)];
    const floors = partitions.map((partition) => ledger.floor(partition));
    const wanted = partitions.map((partition) => ({
      partition,
      position: this.#positions.get(partition) as number,
    }));
    const sentMs = world.clock.monotonicMs();
    if (chance(this.#random, ANEW)) this.#session?.beginAnew();
    const ask = this.#session?.ask(wanted) ?? { ...SESSIONLESS, wanted, forgotten: [] };
    const answer = await connection.request(fetchApi, fetchVersion, {
      maxWaitMs,
      minBytes,
      maxBytes,
      isolationLevel,
      sessionId: ask.sessionId,
      sessionEpoch: ask.sessionEpoch,
      topics: ask.wanted.map(({ partition: { topic, index }, position }) => ({
        topic: topic.name,
        topicId: topic.topicId ?? "",
        partitions: [{ partition: index, fetchOffset: position, partitionMaxBytes }],
      })),
      forgottenTopicsData: ask.forgotten.map(({ topic, index }) => ({
        topic: topic.name,
        topicId: topic.topicId ?? "",
        partitions: [index],
      })),
    });
    if (answer.tag === "lost") {
      if (chance(this.#random, ANEW_WHEN_LOST)) this.#session?.beginAnew();
      else this.#session?.doubt();
      return false;
    }
    const { errorCode, sessionId, responses } = answer.response;
    if (errorCode !== ErrorCode.NONE) {
      this.#loseSession(errorCode);
      return false;
    }
    const byName = fetchVersion < FIRST_FETCH_WITH_TOPIC_IDS;
    const came = cameOf(responses, partitions, byName);
    const all =
      this.#session?.answered(wanted, sessionId, came) ??
      partitions.map((partition) => {
        const one = came.get(partition);
        if (one === undefined) throw new Error(`a fetch answer lacks ${partition.name}`);
        return one;
      });
    if (came.size < all.length) world.sometimes.add("left-out");
    let bytes = 0;
    let failed = false;
    const behind: PartitionModel[] = [];
    for (const [i, one] of all.entries()) {
      const { partition, position } = wanted[i] as (typeof wanted)[number];
      bytes += one.records?.length ?? 0;
      failed ||= one.errorCode !== ErrorCode.NONE;
      // By its name it may be the next topic already.
      if (byName && !partition.topic.isLive) {
        this.#positions.delete(partition);
        continue;
      }
      if (this.#take(partition, one, position, floors[i] as Floor)) behind.push(partition);
    }
    this.#site.world.invariants.check(
      "P4",
      behind.length === 0 || bytes > 0,
      () => `${this.#name} got nothing, and ${behind[0]?.name} has something`,
    );
    const waitedMs = world.clock.monotonicMs() - sentMs;
    if (bytes < minBytes && !failed && waitedMs + 1 < maxWaitMs)
      throw new Error(
        `a fetch of ${minBytes} bytes came back with ${bytes} after ${waitedMs} of ${maxWaitMs} ms`,
      );
    if (bytes === 0 && maxWaitMs > 0 && !failed) world.sometimes.add("long-poll");
    return bytes > 0 || waitedMs >= SHORT_WAIT_MS;
  }

  /** The broker has no such session: it is another one, had no room any more, or had taken the request that was not answered. */
  #loseSession(errorCode: number): void {
    const session = this.#session;
    const expected =
      errorCode === ErrorCode.FETCH_SESSION_ID_NOT_FOUND ||
      (errorCode === ErrorCode.INVALID_FETCH_SESSION_EPOCH && session?.inDoubt === true);
    if (session?.isIncremental !== true || !expected) throw new Error(`Fetch: error ${errorCode}`);
    this.#site.world.sometimes.add(session.inDoubt ? "session-in-doubt" : "session-gone");
    session.beginAnew();
  }

  /** @returns whether it got nothing of a partition that has something. */
  #take(partition: PartitionModel, one: FetchedPartition, position: number, floor: Floor): boolean {
    const { ledger, world } = this.#site;
    const { errorCode, highWatermark, lastStableOffset, logStartOffset, records } = one;
    if (errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) {
      this.#site.world.invariants.check(
        "P4",
        position < partition.trimAsked,
        () => `${position} of ${partition.name} is out of range, and nobody trimmed it`,
      );
      world.sometimes.add("out-of-range");
      this.#positions.delete(partition);
      return false;
    }
    if (errorCode !== ErrorCode.NONE) {
      this.#tolerate(partition, errorCode);
      return false;
    }
    this.#site.world.invariants.check(
      "P3",
      lastStableOffset === highWatermark,
      () => `${partition.name} is stable up to ${lastStableOffset}, durable up to ${highWatermark}`,
    );
    const fetched = ledger.fetched(partition, {
      consumer: this.#name,
      position,
      records: records ?? new Uint8Array(),
      highWatermark,
      logStart: logStartOffset,
      floor,
    });
    this.#positions.set(partition, fetched);
    return fetched === position && position < highWatermark;
  }

  #tolerate(partition: PartitionModel, errorCode: number): void {
    const { world } = this.#site;
    world.sometimes.add("fetch-refused");
    if (isRefusal(errorCode) || isUnknown(errorCode)) return;
    if (isUnknownTopic(errorCode) && !partition.topic.isLive) return;
    throw new Error(`${this.#name} reads ${partition.name}: error ${errorCode}`);
  }
}

/** By partition. @throws where an answer is about others, or twice about one. */
function cameOf(
  responses: FetchResponse["responses"],
  partitions: readonly PartitionModel[],
  byName: boolean,
): ReadonlyMap<PartitionModel, FetchedPartition> {
  const came = new Map<PartitionModel, FetchedPartition>();
  for (const { topic, topicId, partitions: answers } of responses) {
    for (const one of answers) {
      const partition = partitions.find(
        ({ topic: wanted, index }) =>
          index === one.partitionIndex &&
          (byName ? topic === wanted.name : topicId === wanted.topicId),
      );
      if (partition === undefined || came.has(partition))
        throw new Error(`an answer about ${byName ? topic : topicId}/${one.partitionIndex}`);
      came.set(partition, one);
    }
  }
  return came;
}

/** How a consumer reads, of any partitions. */
export function drawReading(random: SeededRandom): ReadingOptions {
  const maxBytes = pick(random, [1, 600, 5_000, 1_000_000]);
  const partitionMaxBytes = pick(random, [1, 400, 5_000, 1_000_000]);
  return {
    fetchVersion: randomInteger(random, 4, 18),
    sessions: chance(random, 75),
    listVersion: randomInteger(random, 1, 11),
    maxWaitMs: pick(random, [0, 50, 500, 2_000]),
    // Who wants more than it takes would wait each time.
    minBytes: Math.min(pick(random, [0, 1, 1, 1_000]), maxBytes, partitionMaxBytes),
    maxBytes,
    partitionMaxBytes,
    isolationLevel: pick(random, [0, 1] as const),
  };
}
