import { randomId } from "@karst/runtime";
import type { Engine } from "../engine.ts";
import { coreError } from "../errors.ts";
import { PRODUCER_ID_BLOCK } from "../limits.ts";
import type { PartitionLog } from "../partition/partition-log.ts";
import { commitChange } from "./commit-change.ts";
import { OpenPartitions } from "./open-partitions.ts";
import { creation, deletion, takeNumbers } from "./topic-changes.ts";
import { type IndexedTopic, TopicIndex } from "./topic-index.ts";
import { checkTopicName } from "./topic-name.ts";
import { validateTopicConfigs } from "./topic-settings.ts";
import type { CreateTopicOptions, ProducerIdBlock, Topic, Topics } from "./topics.ts";

/** The topics of an engine's root. Close them before the engine. */
export async function openTopics(engine: Engine): Promise<Topics> {
  await engine.catalogue.refresh();
  return new CatalogueTopics(engine);
}

/**
 * Invariant: ids in [#nextProducerId, #producerIdsEnd) were taken from the catalogue by this process and not given out yet.
 */
class CatalogueTopics implements Topics {
  readonly #engine: Engine;
  readonly #index: TopicIndex;
  readonly #open: OpenPartitions;
  #nextProducerId = 0;
  #producerIdsEnd = 0;
  #taking: Promise<void> | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#index = new TopicIndex(engine.catalogue);
    this.#open = new OpenPartitions(engine);
  }

  list(): readonly Topic[] {
    return this.#index.list().map((indexed) => indexed.topic);
  }

  byName(name: string): Topic | undefined {
    return this.#index.byName(name)?.topic;
  }

  byId(topicId: string): Topic | undefined {
    return this.#index.byId(topicId)?.topic;
  }

  async create(options: CreateTopicOptions): Promise<Topic> {
    this.#checkOptions(options);
    const { catalogue, runtime } = this.#engine;
    // The same id at each try: by it a try of unknown outcome is recognised.
    const topicId = randomId(runtime.random);
    const createdMs = runtime.clock.wallMs();
    const planned = await commitChange(catalogue, runtime.random, () => {
      if (this.#index.byId(topicId) !== undefined) return undefined;
      this.#checkRoom(options);
      return creation(catalogue, topicId, options, createdMs);
    });
    if (planned !== undefined) this.#index.follow(topicId, planned.before);
    return this.#existing(topicId).topic;
  }

  validate(options: CreateTopicOptions): void {
    this.#checkOptions(options);
    this.#checkRoom(options);
  }

  async delete(topicId: string): Promise<void> {
    const { catalogue, runtime } = this.#engine;
    let tried = false;
    const planned = await commitChange(catalogue, runtime.random, () => {
      // Gone after a try of ours: it was us, or somebody who wanted the same.
      if (tried && this.#index.byId(topicId) === undefined) return undefined;
      const change = deletion(catalogue, this.#existing(topicId));
      tried = true;
      return change;
    });
    if (planned !== undefined) this.#index.follow(topicId, planned.before);
    await this.#open.closeTopic(topicId);
  }

  async partition(topicId: string, index: number): Promise<PartitionLog> {
    if (this.#index.byId(topicId) === undefined) await this.#engine.catalogue.refresh();
    return await this.#open.open(this.#existing(topicId), index);
  }

  openPartition(topicId: string, index: number): PartitionLog | undefined {
    return this.#open.get(topicId, index);
  }

  async allocateProducerIds(): Promise<ProducerIdBlock> {
    const { catalogue, runtime } = this.#engine;
    const planned = await commitChange(catalogue, runtime.random, () =>
      takeNumbers(catalogue, "producer-ids", PRODUCER_ID_BLOCK),
    );
    if (planned === undefined) throw new TypeError("taking numbers always plans something");
    return { first: planned.first, count: PRODUCER_ID_BLOCK };
  }

  async nextProducerId(): Promise<number> {
    while (this.#nextProducerId === this.#producerIdsEnd) {
      this.#taking ??= this.#takeProducerIds();
      await this.#taking;
    }
    const producerId = this.#nextProducerId;
    this.#nextProducerId += 1;
    return producerId;
  }

  async close(): Promise<void> {
    await this.#open.close();
  }

  async #takeProducerIds(): Promise<void> {
    try {
      const { first, count } = await this.allocateProducerIds();
      this.#nextProducerId = first;
      this.#producerIdsEnd = first + count;
    } finally {
      this.#taking = undefined;
    }
  }

  /** What can be said of them alone. */
  #checkOptions({ name, partitions, configs }: CreateTopicOptions): void {
    const { limits } = this.#engine;
    checkTopicName(name);
    if (
      !Number.isSafeInteger(partitions) ||
      partitions < 1 ||
      partitions > limits.partitionsPerTopicMax
    ) {
      throw coreError(
        "INVALID_PARTITIONS",
        `${partitions} partitions; 1 to ${limits.partitionsPerTopicMax} are allowed`,
      );
    }
    if (configs !== undefined) validateTopicConfigs(configs, limits.batchBytesMax);
  }

  /** Whether the topics of the image leave room for another of this name. */
  #checkRoom({ name }: CreateTopicOptions): void {
    const { topicsMax } = this.#engine.limits;
    if (this.#index.byName(name) !== undefined)
      throw coreError("TOPIC_EXISTS", `topic ${name} exists`);
    const colliding = this.#index.colliding(name);
    if (colliding !== undefined) {
      throw coreError(
        "INVALID_TOPIC_NAME",
        `topic ${name} collides with ${colliding.topic.name}: "." and "_" count as the same`,
      );
    }
    if (this.#index.size >= topicsMax) {
      throw coreError(
        "TOO_MANY_TOPICS",
        `there are ${this.#index.size} topics, at most ${topicsMax} are allowed`,
      );
    }
  }

  #existing(topicId: string): IndexedTopic {
    const indexed = this.#index.byId(topicId);
    if (indexed === undefined) throw coreError("TOPIC_NOT_FOUND", `there is no topic ${topicId}`);
    return indexed;
  }
}
