import { ProduceAcks, Producer, stringSerializers } from "@platformatic/kafka";
import { setTimeout as delay } from "node:timers/promises";
import { LaneWriter } from "./lanes.ts";
import type { Writer, WriterOptions } from "./writer.ts";

const RETRY_MS = 100;

export function platformaticWriter(options: WriterOptions): Promise<Writer> {
  const producer = new Producer({
    clientId: `writer-${options.topic}`,
    bootstrapBrokers: [options.bootstrap],
    serializers: stringSerializers,
    autocreateTopics: true,
    idempotent: options.idempotent,
    compression: options.compression,
    retries: 10_000,
    retryDelay: RETRY_MS,
    connectTimeout: 2_000,
    requestTimeout: 60_000,
  });
  const send = async (
    partition: number,
    rows: readonly { readonly id: number; readonly value: string }[],
  ) => {
    for (;;) {
      try {
        const result = await producer.send({
          acks: ProduceAcks.ALL,
          messages: rows.map((row) => ({
            topic: options.topic,
            partition,
            key: String(row.id),
            value: row.value,
          })),
        });
        const base = Number(result.offsets?.[0]?.offset);
        return rows.map((_, index) => base + index);
      } catch (error) {
        // An idempotent producer that gave up has lost its sequence: sending again would be another producer's record.
        if (options.idempotent || options.signal.aborted) throw error;
        await delay(RETRY_MS);
      }
    }
  };
  return Promise.resolve(new LaneWriter(options, send, () => producer.close()));
}
