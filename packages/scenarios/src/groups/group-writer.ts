import { Kafka, logLevel, type Producer } from "kafkajs";
import { setTimeout as delay } from "node:timers/promises";
import { within } from "../within.ts";

const BATCH = 12;
const PAUSE_MS = 30;
const SEND_TIMEOUT_MS = 120_000;

/** Writes values to all partitions in turn until it is stopped, over any number of broker deaths. */
export class GroupWriter {
  /** Values by place: `partition@offset`. */
  readonly acknowledged: Map<string, string> = new Map();
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
    // `stop` says what it was.
    this.#ended.catch(() => undefined);
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
    await within(SEND_TIMEOUT_MS, `a writer is connected to ${bootstrap}`, producer.connect());
    return new GroupWriter(producer, topic, partitions);
  }

  /** Whether the value at each place is the one that was acknowledged there. */
  isAllIn(seen: ReadonlyMap<string, string>): boolean {
    return this.missingIn(seen).length === 0;
  }

  /** Places whose acknowledged value is not there. */
  missingIn(seen: ReadonlyMap<string, string>): string[] {
    return [...this.acknowledged.entries()]
      .filter(([place, value]) => seen.get(place) !== value)
      .map(([place]) => place);
  }

  /** Everything that was sent is acknowledged when it resolves. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#ended;
    await within(SEND_TIMEOUT_MS, "a writer is disconnected", this.#producer.disconnect());
  }

  async #run(): Promise<void> {
    for (let id = 0; !this.#stopping; id += BATCH) {
      const messages = Array.from({ length: BATCH }, (_, at) => ({
        partition: (id + at) % this.#partitions,
        value: `value ${id + at}`,
      }));
      const sent = await within(
        SEND_TIMEOUT_MS,
        `values from ${id} on are acknowledged`,
        this.#producer.send({ topic: this.#topic, acks: -1, messages }),
      );
      const next = new Map(sent.map((each) => [each.partition, Number(each.baseOffset)]));
      for (const { partition, value } of messages) {
        const offset = next.get(partition) ?? NaN;
        this.acknowledged.set(`${partition}@${offset}`, value);
        next.set(partition, offset + 1);
      }
      await delay(PAUSE_MS);
    }
  }
}
