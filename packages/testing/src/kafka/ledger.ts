import { decodeBatch, splitBatches, verifyBatch } from "@karst/records";
import { equalBytes } from "@karst/runtime";
import type { Invariants } from "../world/invariants.ts";
import type { World } from "../world/world.ts";
import {
  type Attempt,
  type AttemptOutcome,
  batchBytes,
  type ProducerBatchSequence,
  readValue,
  type SentBatch,
  valueOf,
} from "./sent-batch.ts";
import type { PartitionModel } from "./topic-model.ts";

/** Where the bytes of a batch begin that a broker may not change. */
const PRODUCERS_BYTES_FROM = 21;

/** What had been told of a partition when a request was sent: its answer may not fall behind. */
export interface Floor {
  readonly highWatermark: number;
  readonly logStart: number;
}

/** One answer to a fetch of one partition. */
export interface Fetched {
  readonly consumer: string;
  readonly position: number;
  readonly records: Uint8Array;
  readonly highWatermark: number;
  /** -1: not told. */
  readonly logStart: number;
  readonly floor: Floor;
}

/** A batch as it was read. */
export interface Sighting {
  readonly baseOffset: number;
  readonly batch: SentBatch;
}

/** One answer with records, or without: what a consumer polled. */
export interface Poll {
  readonly kind: "poll";
  readonly consumer: string;
  readonly partition: PartitionModel;
  /** Of the first batch a consumer drops what is below. */
  readonly position: number;
  readonly seen: readonly Sighting[];
  readonly highWatermark: number;
  readonly logStart: number;
}

/** A consumer goes to another place. */
export interface Seek {
  readonly kind: "seek";
  readonly consumer: string;
  readonly partition: PartitionModel;
  readonly offset: number;
}

/**
 * All that was sent, answered and read, by whomever.
 *
 * Invariant: what is in it has been checked against everything else in it, whenever that was.
 */
export class Ledger {
  readonly #world: World;
  readonly #invariants: Invariants;
  readonly batches: Map<number, SentBatch> = new Map();
  /** In the order of the answers. */
  readonly polls: (Poll | Seek)[] = [];
  readonly #producerIds = new Set<number>();
  readonly #topicIds = new Set<string>();
  /** By connection, end of the last batch without a sequence that was acknowledged on it. */
  readonly #ends = new Map<number, Map<PartitionModel, number>>();
  #attempts = 0;

  constructor(world: World) {
    this.#world = world;
    this.#invariants = world.invariants;
  }

  /** A batch to be sent. */
  newBatch(options: {
    readonly producer: string;
    readonly partition: PartitionModel;
    readonly count: number;
    readonly recordBytes: number;
    readonly sequence: ProducerBatchSequence | undefined;
  }): SentBatch {
    const { producer, partition, count, sequence } = options;
    const id = this.batches.size + 1;
    const timestampMs = this.#world.clock.wallMs();
    const batch: SentBatch = {
      id,
      producer,
      partition,
      count,
      bytes: batchBytes({ ...options, id, timestampMs }),
      sequence,
      attempts: [],
      places: new Map(),
    };
    this.batches.set(id, batch);
    return batch;
  }

  /** The batch is on its way. */
  sent(batch: SentBatch, connection: number, byName: boolean): Attempt {
    this.#attempts += 1;
    const attempt: Attempt = {
      batch,
      order: this.#attempts,
      connection,
      byName,
      outcome: { tag: "pending" },
    };
    batch.attempts.push(attempt);
    return attempt;
  }

  /** What the client learnt of an attempt. */
  settled(attempt: Attempt, outcome: AttemptOutcome): void {
    const { batch } = attempt;
    const { partition, id } = batch;
    this.#world.tally.checked += 1;
    if (attempt.byName && !partition.topic.isLive) {
      // It may be about the next topic of that name.
      attempt.outcome = { tag: "unknown" };
      return;
    }
    attempt.outcome = outcome;
    this.#world.note(`${outcome.tag} ${id}`);
    if (outcome.tag !== "acknowledged") return;
    const { baseOffset } = outcome;
    const { tally } = this.#world;
    tally.acknowledged += 1;
    const [before] = batch.places.get(partition) ?? [];
    if (batch.sequence === undefined) this.#checkOrder(attempt, baseOffset);
    else
      this.#invariants.check(
        "IP2",
        before === undefined || before === baseOffset,
        () => `batch ${id} of ${partition.name} is at ${before}, and a retry is told ${baseOffset}`,
      );
    this.#place(partition, baseOffset, batch);
    partition.highWatermark = Math.max(partition.highWatermark, baseOffset + batch.count);
  }

  /** What a request that is sent now may not fall behind. */
  floor({ highWatermark, logStart }: PartitionModel): Floor {
    return { highWatermark, logStart };
  }

  /** Bounds that a broker told, in answer to a request that was sent when they were at least `floor`. */
  told(partition: PartitionModel, bounds: Partial<Floor>, floor: Floor): void {
    const { highWatermark = floor.highWatermark, logStart = floor.logStart } = bounds;
    this.#invariants.check(
      "P3",
      highWatermark >= floor.highWatermark,
      () =>
        `the high watermark of ${partition.name} was ${floor.highWatermark}, and is ${highWatermark}`,
    );
    this.#invariants.check(
      "P3",
      logStart >= floor.logStart && logStart <= partition.trimAsked,
      () =>
        `${partition.name} began at ${floor.logStart}, begins at ${logStart}, and was trimmed up to ${partition.trimAsked}`,
    );
    partition.highWatermark = Math.max(partition.highWatermark, highWatermark);
    partition.logStart = Math.max(partition.logStart, logStart);
  }

  /** Checks what a fetch returned. @returns where to read on. */
  fetched(partition: PartitionModel, answer: Fetched): number {
    const { consumer, position, records, highWatermark, logStart, floor } = answer;
    const { tally } = this.#world;
    this.told(partition, { highWatermark, ...(logStart >= 0 && { logStart }) }, floor);
    const seen: Sighting[] = [];
    let next = position;
    let bytes = 0;
    for (const batch of splitBatches(records)) {
      const { baseOffset, count } = verifyBatch(batch);
      const end = baseOffset + count;
      this.#invariants.check(
        "P4",
        seen.length === 0 ? baseOffset <= position && end > position : baseOffset === next,
        () => `${consumer} asked for ${next} of ${partition.name}, and got [${baseOffset}, ${end})`,
      );
      this.#invariants.check(
        "K2",
        end <= highWatermark,
        () => `${consumer} got ${partition.name} up to ${end}, told of ${highWatermark}`,
      );
      seen.push({ baseOffset, batch: this.#see(partition, baseOffset, batch) });
      next = end;
      bytes += batch.length;
      tally.checked += 1;
    }
    this.#invariants.check(
      "P5",
      bytes === records.length,
      () => `${consumer} got a part of a batch`,
    );
    this.polls.push({ kind: "poll", consumer, partition, position, seen, highWatermark, logStart });
    return next;
  }

  /** A consumer reads on from there. */
  sought(consumer: string, partition: PartitionModel, offset: number): void {
    this.polls.push({ kind: "seek", consumer, partition, offset });
  }

  gotProducerId(id: number): void {
    this.#invariants.check("IP5", !this.#producerIds.has(id), `${id} was given twice`);
    this.#producerIds.add(id);
  }

  /** @throws where another topic has or had this id. */
  gotTopicId(id: string): void {
    if (this.#topicIds.has(id)) throw new Error(`the topic id ${id} was given twice`);
    this.#topicIds.add(id);
  }

  /** Checks a partition's whole log, as it was read after everything had come to rest. */
  checkLog(partition: PartitionModel, log: readonly Sighting[], logStart: number): void {
    const { tally } = this.#world;
    const there = new Map(log.map(({ baseOffset, batch }) => [baseOffset, batch]));
    for (const [baseOffset, batch] of partition.batches) {
      if (baseOffset + batch.count <= logStart) continue;
      tally.checked += 1;
      this.#invariants.check(
        "W2",
        there.get(baseOffset) === batch,
        () => `batch ${batch.id}, at ${baseOffset} of ${partition.name}, is lost`,
      );
    }
    const sequences = new Map<string, number>();
    for (const { baseOffset, batch } of log) {
      const { sequence } = batch;
      if (sequence === undefined) continue;
      const who = `${sequence.producerId}/${sequence.epoch}`;
      // What was trimmed, or went to an earlier topic of this name, is not looked for.
      const first = logStart === 0 && batch.partition === partition ? 0 : sequence.baseSequence;
      const expected = sequences.get(who) ?? first;
      this.#invariants.check(
        "IP1",
        sequence.baseSequence === expected,
        () =>
          `producer ${who} has sequence ${sequence.baseSequence} at ${baseOffset} of ${partition.name}, not ${expected}`,
      );
      sequences.set(who, sequence.baseSequence + batch.count);
    }
  }

  /** Checks that nothing is anywhere that was not sent there, or oftener than it was. */
  checkPlaces(): void {
    const { tally } = this.#world;
    for (const { id, places, attempts, sequence, partition } of this.batches.values()) {
      tally.checked += 1;
      let count = 0;
      for (const offsets of places.values()) count += offsets.size;
      const possible = attempts.filter(({ outcome }) => outcome.tag !== "refused").length;
      this.#invariants.check(
        "IP1",
        count <= possible,
        () => `batch ${id} is at ${count} places, and may have been appended ${possible} times`,
      );
      this.#invariants.check(
        "IP1",
        sequence === undefined || (places.get(partition)?.size ?? 0) <= 1,
        () => `batch ${id} of ${sequence?.producerId} is in ${partition.name} twice`,
      );
    }
  }

  /** Batches of one connection without a sequence are appended in the order in which they were sent. */
  #checkOrder({ connection, batch }: Attempt, baseOffset: number): void {
    const { partition, id, count } = batch;
    const ends = this.#ends.get(connection) ?? new Map<PartitionModel, number>();
    this.#ends.set(connection, ends);
    const end = ends.get(partition) ?? 0;
    this.#invariants.check(
      "P1",
      baseOffset >= end,
      () =>
        `batch ${id} is at ${baseOffset} of ${partition.name}, what was sent before it at ${end}`,
    );
    ends.set(partition, baseOffset + count);
  }

  /** A batch was read. */
  #see(partition: PartitionModel, baseOffset: number, bytes: Uint8Array): SentBatch {
    const known = partition.batches.get(baseOffset);
    const batch = known ?? this.#identify(partition, baseOffset, bytes);
    this.#invariants.check(
      known === undefined ? "P5" : "P2",
      equalBytes(bytes.subarray(PRODUCERS_BYTES_FROM), batch.bytes.subarray(PRODUCERS_BYTES_FROM)),
      () => `${baseOffset} of ${partition.name} is not batch ${batch.id} as it was sent`,
    );
    if (known === undefined) this.#place(partition, baseOffset, batch);
    return batch;
  }

  #identify(partition: PartitionModel, baseOffset: number, bytes: Uint8Array): SentBatch {
    const value = readValue(decodeBatch(bytes)[0]?.value ?? null);
    const batch = this.batches.get(Math.floor((value ?? -1) / valueOf(1, 0)));
    this.#invariants.check(
      "P5",
      batch !== undefined,
      () => `${baseOffset} of ${partition.name} is nothing that was sent`,
    );
    if (batch.partition === partition) return batch;
    const { topic, index } = batch.partition;
    const mayBe =
      topic.name === partition.topic.name &&
      index === partition.index &&
      topic.generation < partition.topic.generation &&
      batch.attempts.some(({ byName, outcome }) => byName && isOpen(outcome));
    if (!mayBe)
      throw new Error(`batch ${batch.id} of ${batch.partition.name} is in ${partition.name}`);
    this.#world.sometimes.add("sent-to-the-next-topic");
    return batch;
  }

  #place(partition: PartitionModel, baseOffset: number, batch: SentBatch): void {
    const there = partition.batches.get(baseOffset);
    this.#invariants.check(
      "P2",
      there === undefined || there === batch,
      () => `${baseOffset} of ${partition.name} is batch ${there?.id} and ${batch.id}`,
    );
    partition.batches.set(baseOffset, batch);
    const offsets = batch.places.get(partition) ?? new Set<number>();
    batch.places.set(partition, offsets.add(baseOffset));
  }
}

function isOpen({ tag }: AttemptOutcome): boolean {
  return tag === "unknown" || tag === "pending";
}
