import { BrokerRun, type BrokerRunOptions } from "./broker-run.ts";
import { Consumer, type ConsumerOptions } from "./consumer.ts";
import { BROKER_LIMITS } from "./limits.ts";
import { Producer, type ProducerOptions } from "./producer.ts";
import { TopicModel } from "./topic-model.ts";

export interface KafkaOptions extends BrokerRunOptions {
  /** By topic. */
  readonly partitions: readonly [t0: number, t1: number];
  readonly producers: readonly ProducerOptions[];
  readonly consumers: readonly ConsumerOptions[];
}

/** Producers and consumers of two topics, which an admin deletes and makes again. */
export class KafkaRun extends BrokerRun {
  readonly options: KafkaOptions;
  readonly producers: readonly Producer[];
  readonly consumers: Consumer[] = [];
  #recreations: Promise<void> = Promise.resolve();
  #pendingRecreations = 0;

  constructor(options: KafkaOptions) {
    super(options, "kafka", { limits: BROKER_LIMITS });
    this.options = options;
    this.producers = options.producers.map(
      (one) => new Producer(one, this, this.random.fork(one.name)),
    );
  }

  /** Makes the topics, and lets the consumers begin. */
  async begin(): Promise<void> {
    for (const [i, partitions] of this.options.partitions.entries())
      await this.makeTopic(`t${i}`, partitions);
    for (const one of this.options.consumers)
      this.consumers.push(new Consumer(one, this, this.random.fork(one.name)));
  }

  /** Deletes a topic, and makes another of the same name; one after the other. */
  recreate(name: string, partitions: number): void {
    this.#pendingRecreations += 1;
    this.#recreations = this.#recreations
      .then(async () => {
        const old = this.topic(name);
        if (old === undefined) throw new Error(`${name} was not made`);
        for (const producer of this.producers) producer.forget(old);
        await this.admin.remove(old);
        const next = new TopicModel(name, old.generation + 1, partitions);
        this.topics.push(next);
        await this.admin.create(next);
        this.world.sometimes.add("recreated");
        this.#pendingRecreations -= 1;
      })
      .catch((error: unknown) => this.failed(error));
  }

  get isRecreating(): boolean {
    return this.#pendingRecreations > 0;
  }
}
