import { ErrorCode, fetchApi, type FetchResponse, listOffsetsApi } from "@karst/kafka-protocol";
import { randomInteger } from "@karst/runtime";
import type { SeededRandom } from "@karst/runtime/testing";
import { chance, pick } from "../world/draw.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { Floor } from "./ledger.ts";
import { isRefusal, isUnknown, isUnknownTopic, Link, type Site } from "./site.ts";
import type { PartitionModel } from "./topic-model.ts";

const FIRST_FETCH_WITH_TOPIC_IDS = 13;
const FIRST_LIST_WITH_ISOLATION = 2;
/** After less time than this an answer with nothing is followed by a pause. */
const SHORT_WAIT_MS = 400;
/** Pauses between two polls at most. */
const IDLE_MAX = 6;
const LATEST = -1;
const EARLIEST = -2;

export interface ConsumerOptions {
  readonly name: string;
  /** Whose partitions it reads, all of them. */
  readonly topics: readonly string[];
  readonly fetchVersion: number;
  readonly listVersion: number;
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly partitionMaxBytes: number;
  readonly isolationLevel: 0 | 1;
}

type FetchedPartition = FetchResponse["responses"][number]["partitions"][number];

/** A client that reads every partition from its start to its end, and on. */
export class Consumer {
  readonly options: ConsumerOptions;
  readonly #site: Site;
  readonly #random: SeededRandom;
  readonly #link: Link;
  readonly #positions = new Map<PartitionModel, number>();
  #turn = 0;
  /** Polls in a row that brought nothing. */
  #idle = 0;
  #stopped = false;

  constructor(options: ConsumerOptions, site: Site, random: SeededRandom) {
    this.options = options;
    this.#site = site;
    this.#random = random;
    this.#link = new Link(site, random);
    this.#run().catch((error: unknown) => site.failed(error));
  }

  /** Whether it has read all that is known to be there. */
  get isAtEnd(): boolean {
    return this.#assigned().every(
      (partition) => (this.#positions.get(partition) ?? -1) >= partition.highWatermark,
    );
  }

  get connection(): ClientConnection | undefined {
    return this.#link.current;
  }

  stop(): void {
    this.#stopped = true;
    this.#link.current?.close();
  }

  #assigned(): PartitionModel[] {
    return this.options.topics.flatMap((name) => this.#site.topic(name)?.partitions ?? []);
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const connection = await this.#link.connected();
      const assigned = this.#assigned();
      if (assigned.length === 0) {
        await this.#link.pause();
        continue;
      }
      const lost = assigned.filter((partition) => !this.#positions.has(partition));
      const went =
        lost.length > 0
          ? await this.#reset(connection, lost)
          : await this.#poll(connection, assigned);
      this.#idle = went ? 0 : Math.min(this.#idle + 1, IDLE_MAX);
      for (let i = 0; i < this.#idle; i += 1) await this.#link.pause();
      if (chance(this.#random, 3) && this.#site.topic(this.options.topics[0] ?? "") !== undefined)
        await this.#askLatest(connection, assigned);
      this.#link.leaveSometimes(1);
    }
  }

  /** Goes to the start of these. */
  async #reset(
    connection: ClientConnection,
    partitions: readonly PartitionModel[],
  ): Promise<boolean> {
    const found = await this.#list(connection, partitions, EARLIEST);
    for (const [partition, { offset, floor }] of found) {
      this.#site.ledger.told(partition, { logStart: offset }, floor);
      this.#site.ledger.sought(this.options.name, partition, offset);
      this.#positions.set(partition, offset);
    }
    return found.size > 0;
  }

  async #askLatest(
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
    const { listVersion, isolationLevel } = this.options;
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

  /** @returns false: nothing came, and nothing was waited for. */
  async #poll(connection: ClientConnection, assigned: readonly PartitionModel[]): Promise<boolean> {
    const { ledger, world } = this.#site;
    const { fetchVersion, maxWaitMs, minBytes, maxBytes, partitionMaxBytes, isolationLevel } =
      this.options;
    // Each in turn is the first one: the others may get nothing.
    this.#turn += 1;
    const first = this.#turn % assigned.length;
    const partitions = [...assigned.slice(first), ...assigned.slice(0, first)];
    const floors = partitions.map((partition) => ledger.floor(partition));
    const positions = partitions.map((partition) => this.#positions.get(partition) as number);
    const sentMs = world.clock.monotonicMs();
    const answer = await connection.request(fetchApi, fetchVersion, {
      maxWaitMs,
      minBytes,
      maxBytes,
      isolationLevel,
      topics: partitions.map(({ topic, index }, i) => ({
        topic: topic.name,
        topicId: topic.topicId ?? "",
        partitions: [{ partition: index, fetchOffset: positions[i] as number, partitionMaxBytes }],
      })),
      forgottenTopicsData: [],
    });
    if (answer.tag === "lost") return false;
    const { errorCode, responses } = answer.response;
    if (errorCode !== ErrorCode.NONE) throw new Error(`Fetch: error ${errorCode}`);
    if (responses.length !== partitions.length) throw new Error("a fetch answer lacks a partition");
    const byName = fetchVersion < FIRST_FETCH_WITH_TOPIC_IDS;
    let bytes = 0;
    let failed = false;
    const behind: PartitionModel[] = [];
    for (const [
      i,
      {
        topic,
        topicId,
        partitions: [one],
      },
    ] of responses.entries()) {
      const partition = partitions[i] as PartitionModel;
      const right = byName ? topic === partition.topic.name : topicId === partition.topic.topicId;
      if (!right || one?.partitionIndex !== partition.index)
        throw new Error(`an answer about ${topic}/${one?.partitionIndex} to ${partition.name}`);
      bytes += one.records?.length ?? 0;
      failed ||= one.errorCode !== ErrorCode.NONE;
      // By its name it may be the next topic already.
      if (byName && !partition.topic.isLive) {
        this.#positions.delete(partition);
        continue;
      }
      if (this.#take(partition, one, positions[i] as number, floors[i] as Floor))
        behind.push(partition);
    }
    this.#site.world.invariants.check(
      "P4",
      behind.length === 0 || bytes > 0,
      () => `${this.options.name} got nothing, and ${behind[0]?.name} has something`,
    );
    const waitedMs = world.clock.monotonicMs() - sentMs;
    if (bytes < minBytes && !failed && waitedMs + 1 < maxWaitMs)
      throw new Error(
        `a fetch of ${minBytes} bytes came back with ${bytes} after ${waitedMs} of ${maxWaitMs} ms`,
      );
    if (bytes === 0 && maxWaitMs > 0 && !failed) world.sometimes.add("long-poll");
    return bytes > 0 || waitedMs >= SHORT_WAIT_MS;
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
      consumer: this.options.name,
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
    throw new Error(`${this.options.name} reads ${partition.name}: error ${errorCode}`);
  }
}

/** How a consumer reads, but for its name and topics. */
export function drawConsumer(random: SeededRandom): Omit<ConsumerOptions, "name" | "topics"> {
  const maxBytes = pick(random, [1, 600, 5_000, 1_000_000]);
  const partitionMaxBytes = pick(random, [1, 400, 5_000, 1_000_000]);
  return {
    fetchVersion: randomInteger(random, 4, 17),
    listVersion: randomInteger(random, 1, 10),
    maxWaitMs: pick(random, [0, 50, 500, 2_000]),
    // Who wants more than it takes would wait each time.
    minBytes: Math.min(pick(random, [0, 1, 1, 1_000]), maxBytes, partitionMaxBytes),
    maxBytes,
    partitionMaxBytes,
    isolationLevel: pick(random, [0, 1] as const),
  };
}
