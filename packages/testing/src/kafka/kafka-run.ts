import { BrokerRun, type BrokerRunOptions } from "./broker-run.ts";
import { Consumer, type ConsumerOptions } from "./consumer.ts";
import { BROKER_LIMITS } from "./limits.ts";

export interface KafkaOptions extends BrokerRunOptions {
  /** By topic. */
  readonly partitions: readonly [t0: number, t1: number];
  readonly consumers: readonly ConsumerOptions[];
}

/** Two topics, and consumers of them beside the producers. */
export class KafkaRun extends BrokerRun {
  readonly options: KafkaOptions;
  readonly consumers: Consumer[] = [];

  constructor(options: KafkaOptions) {
    super(options, "kafka", { limits: BROKER_LIMITS });
    this.options = options;
  }

  /** Makes the topics, and lets the consumers begin. */
  async begin(): Promise<void> {
    for (const [i, partitions] of this.options.partitions.entries())
      await this.makeTopic(`t${i}`, partitions);
    for (const one of this.options.consumers)
      this.consumers.push(new Consumer(one, this, this.random.fork(one.name)));
  }
}
