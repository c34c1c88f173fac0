import {
  initProducerIdApi,
  produceApi,
  ErrorCode,
  type ProduceResponse,
} from "@karst/kafka-protocol";
import { randomInteger } from "@karst/runtime";
import type { SeededRandom } from "@karst/runtime/testing";
import { chance, pick } from "../world/draw.ts";
import type { ClientConnection } from "./client-connection.ts";
import { Lane, type BatchDraft, type Session } from "./lane.ts";
import { BACKOFF_MS_MAX, BACKOFF_MS_MIN, QUEUED_BATCHES_MAX } from "./limits.ts";
import type { Attempt, AttemptOutcome, SentBatch } from "./sent-batch.ts";
import { isRefusal, isUnknown, isUnknownTopic, Link, type Site } from "./site.ts";
import { type PartitionModel, type TopicModel, topicsOf } from "./topic-model.ts";

const FIRST_VERSION_WITH_TOPIC_IDS = 13;

export interface ProducerOptions {
  readonly name: string;
  readonly idempotent: boolean;
  /** 0 and 1 only without idempotence. */
  readonly acks: -1 | 0 | 1;
  /** Requests. */
  readonly inFlightMax: number;
  /** Partitions of one request. */
  readonly partitionsMax: number;
  readonly produceVersion: number;
  readonly initVersion: number;
}

/** So many, of which the first one is idempotent. */
export function drawProducers(random: SeededRandom, count: number): readonly ProducerOptions[] {
  return Array.from({ length: count }, (_, i) => drawProducer(random, i));
}

function drawProducer(random: SeededRandom, i: number): ProducerOptions {
  const idempotent = i === 0 || chance(random, 50);
  return {
    name: `p${i}`,
    idempotent,
    acks: idempotent ? -1 : pick(random, [-1, -1, 1, 0] as const),
    inFlightMax: randomInteger(random, 1, 5),
    partitionsMax: randomInteger(random, 1, 4),
    produceVersion: randomInteger(random, 3, 13),
    initVersion: randomInteger(random, 0, 5),
  };
}

/** A client that sends batches, each until it is acknowledged. */
export class Producer {
  readonly options: ProducerOptions;
  readonly #site: Site;
  readonly #random: SeededRandom;
  readonly #link: Link;
  readonly #lanes = new Map<PartitionModel, Lane>();
  #session: Session | undefined;
  #inFlight = 0;
  #running = false;
  #stopped = false;

  constructor(options: ProducerOptions, site: Site, random: SeededRandom) {
    this.options = options;
    this.#site = site;
    this.#random = random;
    this.#link = new Link(site, random);
  }

  /** Whether everything that it was given is acknowledged, or sent if it asks for no acknowledgement. */
  get isQuiet(): boolean {
    return [...this.#lanes.values()].every((lane) => lane.isEmpty);
  }

  /** Gives it one more batch to send; dropped where too many wait. */
  queue(partition: PartitionModel, draft: BatchDraft): void {
    const lane = this.#lanes.get(partition) ?? new Lane(partition);
    this.#lanes.set(partition, lane);
    if (lane.drafts.length < QUEUED_BATCHES_MAX) lane.drafts.push(draft);
    this.#pump();
  }

  /** It gives up what it has for a topic that is to be deleted, and whatever it sends from now on it sends under a new id. */
  forget(topic: TopicModel): void {
    for (const partition of topic.partitions) this.#lanes.delete(partition);
    this.#session = undefined;
  }

  /** From now on its batches have another producer id. */
  renew(): void {
    this.#session = undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.#link.current?.close();
  }

  get connection(): ClientConnection | undefined {
    return this.#link.current;
  }

  #pump(): void {
    if (this.#running || this.#stopped) return;
    this.#running = true;
    this.#sendAll().catch((error: unknown) => this.#site.failed(error));
  }

  /** Sends as long as there is something that may be sent. */
  async #sendAll(): Promise<void> {
    try {
      while (!this.#stopped && !this.isQuiet) {
        const connection = await this.#link.connected();
        if (this.options.idempotent && this.#session === undefined) {
          if (!(await this.#begin(connection))) await this.#link.pause();
          continue;
        }
        if (this.#inFlight >= this.options.inFlightMax) return;
        const batches = this.#take();
        if (batches.length === 0) return;
        this.#send(connection, batches);
      }
    } finally {
      // In the same turn: who pumps from now on must not find it running.
      this.#running = false;
    }
  }

  /** Gets a producer id. */
  async #begin(connection: ClientConnection): Promise<boolean> {
    const { ledger, world } = this.#site;
    const answer = await connection.request(initProducerIdApi, this.options.initVersion, {
      transactionalId: null,
      transactionTimeoutMs: 60_000,
    });
    if (answer.tag === "lost") return false;
    const { errorCode, producerId, producerEpoch } = answer.response;
    world.tally.checked += 1;
    if (isRefusal(errorCode) || isUnknown(errorCode)) return false;
    if (errorCode !== ErrorCode.NONE) throw new Error(`InitProducerId: error ${errorCode}`);
    ledger.gotProducerId(producerId);
    this.#session = { producerId, epoch: producerEpoch, next: new Map(), known: new Set() };
    return true;
  }

  /** The batches of the next request. */
  #take(): SentBatch[] {
    const nowMs = this.#site.world.clock.monotonicMs();
    const batches: SentBatch[] = [];
    const lanes = [...this.#lanes.values()];
    const first = lanes.length === 0 ? 0 : randomInteger(this.#random, 0, lanes.length - 1);
    for (let i = 0; i < lanes.length && batches.length < this.options.partitionsMax; i += 1) {
      const lane = lanes[(first + i) % lanes.length] as Lane;
      while (lane.hasRoom) this.#make(lane);
      const batch = lane.retryAtMs <= nowMs ? lane.next : undefined;
      if (batch === undefined) continue;
      lane.inFlight.add(batch);
      batches.push(batch);
    }
    return batches;
  }

  #make(lane: Lane): void {
    const { partition } = lane;
    const session = this.#session;
    const draft = lane.drafts.shift() as BatchDraft;
    const baseSequence = session?.next.get(partition) ?? 0;
    session?.next.set(partition, baseSequence + draft.count);
    const sequence =
      session === undefined
        ? undefined
        : { producerId: session.producerId, epoch: session.epoch, baseSequence };
    const batch = this.#site.ledger.newBatch({
      ...draft,
      producer: this.options.name,
      partition,
      sequence,
    });
    lane.waiting.push({ batch, session });
  }

  #send(connection: ClientConnection, batches: readonly SentBatch[]): void {
    const { ledger, world } = this.#site;
    const { acks, produceVersion } = this.options;
    const byName = produceVersion < FIRST_VERSION_WITH_TOPIC_IDS;
    const attempts = batches.map((batch) => ledger.sent(batch, connection.number, byName));
    const message = {
      transactionalId: null,
      acks,
      timeoutMs: 1_000,
      topicData: topicDataOf(batches),
    };
    if (attempts.some(({ batch }) => batch.attempts.length > 1))
      world.sometimes.add("produce-retry");
    if (acks === 0) {
      connection.tell(produceApi, produceVersion, message);
      for (const attempt of attempts) this.#settle(attempt, { tag: "unknown" });
      return;
    }
    this.#inFlight += 1;
    connection
      .request(produceApi, produceVersion, message)
      .then((answer) => {
        this.#inFlight -= 1;
        if (answer.tag === "lost")
          for (const attempt of attempts) this.#settle(attempt, { tag: "unknown" });
        else this.#answered(attempts, answer.response);
        if (connection.isOpen && chance(this.#random, 1)) connection.close();
        this.#pump();
      })
      .catch((error: unknown) => this.#site.failed(error));
  }

  #answered(attempts: readonly Attempt[], response: ProduceResponse): void {
    const answers = response.responses.flatMap(({ name, topicId, partitionResponses }) =>
      partitionResponses.map((one) => ({ name, topicId, ...one })),
    );
    const ordered = topicDataOf(attempts.map(({ batch }) => batch)).flatMap(({ partitionData }) =>
      partitionData.map(({ records }) => records),
    );
    if (answers.length !== attempts.length) throw new Error("a produce answer lacks a partition");
    for (const [i, answer] of answers.entries()) {
      const attempt = attempts.find(({ batch }) => batch.bytes === ordered[i]) as Attempt;
      const { topic, index } = attempt.batch.partition;
      if (
        answer.index !== index ||
        (attempt.byName ? answer.name !== topic.name : answer.topicId !== topic.topicId)
      )
        throw new Error(`an answer about ${answer.name}/${answer.index} to ${topic.name}/${index}`);
      this.#settle(attempt, this.#outcome(attempt, answer.errorCode, answer.baseOffset));
    }
  }

  #outcome({ batch }: Attempt, errorCode: number, baseOffset: number): AttemptOutcome {
    const { sometimes } = this.#site.world;
    const { partition } = batch;
    if (errorCode === ErrorCode.NONE) return { tag: "acknowledged", baseOffset };
    if (isUnknown(errorCode)) {
      sometimes.add("produce-unknown");
      return { tag: "unknown" };
    }
    const refused: AttemptOutcome = { tag: "refused", errorCode };
    if (isRefusal(errorCode)) {
      sometimes.add("produce-refused");
      return refused;
    }
    if (isUnknownTopic(errorCode)) {
      if (partition.topic.isLive) throw new Error(`${partition.name} is not known: ${errorCode}`);
      return refused;
    }
    if (errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER) {
      sometimes.add("out-of-order-sequence");
      const lane = this.#lanes.get(partition);
      this.#site.world.invariants.check(
        "IP4",
        lane === undefined || !lane.isFirst(batch),
        () => `batch ${batch.id} of ${partition.name} is out of order, and nothing is before it`,
      );
      return refused;
    }
    throw new Error(`batch ${batch.id} of ${partition.name} is refused with error ${errorCode}`);
  }

  #settle(attempt: Attempt, outcome: AttemptOutcome): void {
    const { batch } = attempt;
    const { clock } = this.#site.world;
    this.#site.ledger.settled(attempt, outcome);
    const lane = this.#lanes.get(batch.partition);
    lane?.inFlight.delete(batch);
    if (lane === undefined) return;
    if (outcome.tag === "acknowledged" || this.options.acks === 0) {
      if (
        outcome.tag === "acknowledged" &&
        batch.attempts.some(({ outcome: { tag } }) => tag === "unknown")
      )
        this.#site.world.sometimes.add("acknowledged-after-unknown");
      lane.done(batch);
      return;
    }
    const pauseMs = randomInteger(this.#random, BACKOFF_MS_MIN, BACKOFF_MS_MAX);
    lane.retryAtMs = clock.monotonicMs() + pauseMs;
    clock.setTimer(pauseMs + 1, () => this.#pump());
  }
}

/** The body of a request: topics in the order of their first batch. */
function topicDataOf(batches: readonly SentBatch[]): readonly {
  readonly name: string;
  readonly topicId: string;
  readonly partitionData: readonly { readonly index: number; readonly records: Uint8Array }[];
}[] {
  return [...topicsOf(batches)].map(([{ name, topicId }, those]) => ({
    name,
    topicId: topicId ?? "",
    partitionData: those.map(({ partition, bytes }) => ({
      index: partition.index,
      records: bytes,
    })),
  }));
}
