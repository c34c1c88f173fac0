import { CODEC_NAMES } from "@karst/records";
import { Kafka, logLevel } from "kafkajs";
import { registerCodecs } from "../kafkajs-codecs.ts";
import { LaneWriter } from "./lanes.ts";
import type { Writer, WriterOptions } from "./writer.ts";

/** kafkajs retries inside `send`, with the same sequence numbers where it is idempotent. It compresses with our codecs. */
export async function kafkajsWriter(options: WriterOptions): Promise<Writer> {
  registerCodecs();
  const kafka = new Kafka({
    clientId: `writer-${options.topic}`,
    brokers: [options.bootstrap],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2_000,
    requestTimeout: 60_000,
    retry: { retries: 10_000, initialRetryTime: 50, maxRetryTime: 300 },
  });
  const producer = kafka.producer({
    idempotent: options.idempotent,
    ...(options.idempotent ? { maxInFlightRequests: 1 } : {}),
  });
  await producer.connect();
  return new LaneWriter(
    options,
    async (partition, rows) => {
      const [result] = await producer.send({
        topic: options.topic,
        acks: -1,
        compression: CODEC_NAMES.indexOf(options.compression),
        messages: rows.map((row) => ({ key: String(row.id), value: row.value, partition })),
      });
      const base = Number(result?.baseOffset);
      return rows.map((_, index) => base + index);
    },
    () => producer.disconnect(),
  );
}
