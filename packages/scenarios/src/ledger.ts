import assert from "node:assert/strict";
import { Kafka, logLevel, type Producer } from "kafkajs";
import type { Row } from "./dataset.ts";
import type { ReadRow } from "./verify.ts";

/**
 * A kafkajs producer that sends each batch once, whatever comes of it, and what it was promised. One ledger outlives any number of
 * brokers; each of them is connected to anew.
 */
export class Ledger {
  readonly acknowledged: ReadRow[] = [];
  #producer: Producer | undefined;

  async connect(bootstrap: string): Promise<void> {
    await this.disconnect();
    const kafka = new Kafka({
      clientId: "ledger",
      brokers: [bootstrap],
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
    });
    this.#producer = kafka.producer({ allowAutoTopicCreation: false });
    await this.#producer.connect();
  }

  async disconnect(): Promise<void> {
    await this.#producer?.disconnect();
    this.#producer = undefined;
  }

  /**
   * One batch. @returns its first offset.
   *
   * @throws what the broker answered: its Kafka error's name is `errorNameOf`.
   */
  async append(topic: string, rows: readonly Row[], partition = 0): Promise<number> {
    assert.ok(this.#producer !== undefined, "the ledger is not connected");
    const [result] = await this.#producer.send({
      topic,
      acks: -1,
      messages: rows.map((row) => ({ key: String(row.id), value: row.value, partition })),
    });
    const base = Number(result?.baseOffset);
    for (const [index, { id, value }] of rows.entries())
      this.acknowledged.push({ topic, partition, offset: base + index, id, value });
    return base;
  }

  /** Every acknowledged row of the topic is among those read, at its offset, byte for byte. */
  assertKept(topic: string, read: readonly ReadRow[]): void {
    const at = new Map(read.map((row) => [`${row.partition}@${row.offset}`, row]));
    assert.equal(at.size, read.length, `two records at one offset of ${topic}`);
    for (const row of this.acknowledged) {
      if (row.topic !== topic) continue;
      const place = `${row.partition}@${row.offset}`;
      assert.deepEqual(at.get(place), row, `acknowledged row ${row.id} at ${topic}/${place}`);
    }
  }
}

/** Name of the Kafka error behind what kafkajs threw, such as `KAFKA_STORAGE_ERROR`; else its message. */
export function errorNameOf(error: unknown): string {
  let current: unknown = error;
  while (current instanceof Error) {
    if ("type" in current && typeof current.type === "string") return current.type;
    if (current.cause === undefined) return current.message;
    current = current.cause;
  }
  return String(current);
}
