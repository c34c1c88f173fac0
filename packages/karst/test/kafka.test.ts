import assert from "node:assert/strict";
import { connect } from "node:net";
import { type Engine, hasCode } from "karst";
import { type KafkaListener, listen } from "karst/kafka";
import { Kafka, logLevel } from "kafkajs";
import { onTestFinished, test } from "vitest";
import { openEngine, texts } from "./world.ts";

function client({ host, port }: KafkaListener): Kafka {
  return new Kafka({ brokers: [`${host}:${port}`], logLevel: logLevel.NOTHING });
}

async function start(engine: Engine): Promise<KafkaListener> {
  return listen(engine, { port: 0, groupInitialRebalanceDelayMs: 0 });
}

async function refuses({ host, port }: KafkaListener): Promise<boolean> {
  const socket = connect({ host, port });
  onTestFinished(() => void socket.destroy());
  return new Promise((resolve) => {
    socket.on("connect", () => resolve(false));
    socket.on("error", () => resolve(true));
  });
}

test("Kafka clients and the engine's own appends and readings share topics", async () => {
  const engine = await openEngine();
  const kafka = client(await start(engine));
  const orders = engine.topic("orders");
  await orders.append({ key: "1", value: "from here" });

  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic: "orders", messages: [{ key: "1", value: "from Kafka" }] });
  await producer.disconnect();
  assert.deepEqual(await texts(orders.read()), ["from here", "from Kafka"]);

  const consumer = kafka.consumer({ groupId: "readers" });
  onTestFinished(() => consumer.disconnect());
  await consumer.connect();
  await consumer.subscribe({ topics: ["orders"], fromBeginning: true });
  const consumed: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({ message }: { message: { value: Buffer | null } }) => {
      consumed.push(String(message.value));
      if (consumed.length === 2) resolve();
    };
    consumer.run({ eachMessage }).catch(reject);
  });
  assert.deepEqual(consumed, ["from here", "from Kafka"]);
});

test("a closed listener refuses connections, and its engine goes on and can listen again", async () => {
  const engine = await openEngine();
  const first = await start(engine);
  await assert.rejects(start(engine), (error) => hasCode(error, "LISTENER_OPEN"));
  assert.equal(await refuses(first), false);
  await first.close();
  await first.close();
  assert.equal(await refuses(first), true);
  await engine.topic("orders").append({ value: "still here" });
  assert.equal(await refuses(await start(engine)), false);
});

test("an engine closes its listener first, also one that is just being started", async () => {
  const engine = await openEngine();
  const listener = await start(engine);
  await engine.close();
  assert.equal(await refuses(listener), true);
  await assert.rejects(start(engine), (error) => hasCode(error, "ENGINE_CLOSED"));

  const other = await openEngine();
  const starting = start(other);
  const closing = other.close();
  await assert.rejects(starting, (error) => hasCode(error, "ENGINE_CLOSED"));
  await closing;
});

test("what is taken already, and what is no port or engine, is refused, and can be tried again", async () => {
  const { port } = await start(await openEngine());
  const engine = await openEngine();
  await assert.rejects(listen(engine, { port }), (error) => hasCode(error, "ADDRESS_IN_USE"));
  await assert.rejects(listen(engine, { port: 70_000 }), TypeError);
  await assert.rejects(listen({ ...engine }, { port: 0 }), TypeError);
  await start(engine);
});
