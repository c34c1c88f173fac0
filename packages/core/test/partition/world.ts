import {
  type Engine,
  type Limits,
  openEngine,
  openTopics,
  type PartitionLog,
  type TopicConfigs,
  type Topics,
} from "@karst/core";
import { memoryObjectStore, MemoryBucket, type ObjectStore } from "@karst/objectstore";
import { MEMORY_BUDGET_BYTES, MemoryBudget, SlabPool } from "@karst/runtime";
import { type SimulatedRuntime, simulatedRuntime } from "@karst/runtime/testing";
import { memoryWal, type WalFactory } from "@karst/wal";

/** Small, so that records cross from one slab to the next. */
const SLAB_BYTES = 4096;

export interface WorldOptions {
  readonly seed?: number | string;
  readonly limits?: Partial<Limits>;
  /** Of the objects, to reach them beside the engine. Default: its own. */
  readonly bucket?: MemoryBucket;
  /** What stands between the engine and the objects. */
  readonly wrap?: (store: ObjectStore, runtime: SimulatedRuntime) => ObjectStore;
}

/** An engine over memory, its topics, and what outlives them both. */
export class World {
  runtime: SimulatedRuntime;
  readonly #options: WorldOptions;
  readonly #bucket: MemoryBucket;
  readonly #memory: MemoryBudget;
  readonly #wal: WalFactory;
  #engine: Engine | undefined;
  #topics: Topics | undefined;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    this.#bucket = options.bucket ?? new MemoryBucket();
    this.runtime = simulatedRuntime({ seed: options.seed ?? 1, autoDefer: true });
    this.#memory = new MemoryBudget(options.limits?.memoryBudgetBytes ?? MEMORY_BUDGET_BYTES);
    const slabs = new SlabPool({ budget: this.#memory, slabBytes: SLAB_BYTES, poison: true });
    this.#wal = memoryWal({ runtime: this.runtime, slabs });
  }

  get engine(): Engine {
    if (this.#engine === undefined) throw new TypeError("the world is not open");
    return this.#engine;
  }

  get topics(): Topics {
    if (this.#topics === undefined) throw new TypeError("the world is not open");
    return this.#topics;
  }

  async open(): Promise<this> {
    const { limits, wrap } = this.#options;
    const store = memoryObjectStore({ bucket: this.#bucket });
    const objectStore = wrap === undefined ? store : wrap(store, this.runtime);
    this.#engine = await openEngine({
      objectStore,
      wal: this.#wal,
      memory: this.#memory,
      runtime: this.runtime,
      ...(limits && { limits }),
    });
    this.#topics = await openTopics(this.#engine);
    return this;
  }

  /** Ends the engine as its process's death would, and opens the next one. */
  async crash(): Promise<void> {
    await this.engine.abandon();
    this.runtime.clock.clear();
    this.runtime = this.runtime.restart();
    await this.open();
  }

  /** Closes in order, and opens again. */
  async restart(): Promise<void> {
    await this.close();
    this.runtime = this.runtime.restart();
    await this.open();
  }

  async close(): Promise<void> {
    await this.topics.close();
    await this.engine.close();
  }

  /** A new topic of one partition, open. */
  async partition(name: string, configs: TopicConfigs = {}): Promise<PartitionLog> {
    const topic = await this.topics.create({ name, partitions: 1, configs });
    return this.topics.partition(topic.topicId, 0);
  }

  /** The partition of a topic that exists. */
  reopened(name: string): Promise<PartitionLog> {
    const topic = this.topics.byName(name);
    if (topic === undefined) throw new TypeError(`there is no topic ${name}`);
    return this.topics.partition(topic.topicId, 0);
  }
}
