import { Kafka, logLevel, type Producer } from "kafkajs";
import { setTimeout as delay } from "node:timers/promises";

const BATCH = 12;
const PAUSE_MS = 30;

/** Writes values to all partitions in turn until it is stopped, over any number of broker deaths. */
export class GroupWriter {
  readonly acknowledged: Set<string> = new Set();
  readonly #producer: Producer;
  readonly #topic: string;
  readonly #partitions: number;
  readonly #ended: Promise<void>;
  #stopping = false;

  private constructor(producer: Producer, topic: string, partitions: number) {
    this.#producer = producer;
    this.#topic = topic;
    this.#partitions = partitions;
    this.#ended = this.#run();
  }

  static async start(bootstrap: string, topic: string, partitions: number): Promise<GroupWriter> {
    const kafka = new Kafka({
      clientId: "writer",
      brokers: [bootstrap],
      logLevel: logLevel.NOTHING,
      connectionTimeout: 2_000,
      retry: { retries: 10_000, initialRetryTime: 50, maxRetryTime: 300 },
    });
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    return new GroupWriter(producer, topic, partitions);
  }

  /** Everything that was sent is acknowledged when it resolves. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#ended;
    await this.#producer.disconnect();
  }

  async #run(): Promise<void> {
    for (let id = 0; !this.#stopping; id += BATCH) {
      const messages = Array.from({ length: BATCH }, (_, at) => ({
        partition: (id + at) % this.#partitions,
        value: `value ${id + at}`,
      }));
      await this.#producer.send({ topic: this.#topic, acks: -1, messages });
      for (const { value } of messages) this.acknowledged.add(value);
      await delay(PAUSE_MS);
    }
  }
}
