import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kafka, logLevel } from "kafkajs";
import { onTestFinished, test } from "vitest";
import { type OwnBroker, ownBroker } from "../own-broker/broker.ts";

async function start(folder: string): Promise<OwnBroker> {
  return ownBroker({ wal: join(folder, "wal"), objects: join(folder, "objects") }, 0);
}

test("a broker of one's own parts keeps what Kafka clients write, and counts it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "karst-own-broker-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const first = await start(folder);
  const { host, port } = first.kafka;
  const kafka = new Kafka({ brokers: [`${host}:${port}`], logLevel: logLevel.NOTHING });
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic: "orders", messages: [{ value: "one" }, { value: "two" }] });
  await producer.disconnect();
  assert.match(String(first.metrics), /^# TYPE karst_broker_produced_batches counter$/m);
  assert.match(String(first.metrics), /^karst_broker_produced_batches 1$/m);
  await first.close();

  const second = await start(folder);
  onTestFinished(() => second.close());
  const texts: string[] = [];
  for await (const record of second.engine.topic("orders").read()) texts.push(record.text());
  assert.deepEqual(texts, ["one", "two"]);
});
