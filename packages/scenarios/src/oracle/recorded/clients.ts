import { Consumer, Producer, stringDeserializers, stringSerializers } from "@platformatic/kafka";
import { CompressionTypes, Kafka, logLevel } from "kafkajs";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

export interface ClientOptions {
  readonly bootstrap: string;
  readonly topic: string;
  readonly groupId: string;
}

/** Produces some records, and consumes them in a group which commits. */
export type Client = (options: ClientOptions) => Promise<void>;

const ROUNDS = 5;
const PER_ROUND = 20;
const RECORDS = ROUNDS * PER_ROUND;
const KEYS = Array.from({ length: PER_ROUND }, (_, at) => `key ${at}`);

/** Those that are there. */
export function clients(): ReadonlyMap<string, Client> {
  const found = new Map<string, Client>([
    ["kafkajs", kafkajs],
    ["@platformatic/kafka", platformatic],
  ]);
  if (spawnSync("kcat", ["-V"]).error === undefined) found.set("kcat", kcat);
  return found;
}

async function kafkajs({ bootstrap, topic, groupId }: ClientOptions): Promise<void> {
  const kafka = new Kafka({
    clientId: "recorded",
    brokers: [bootstrap],
    logLevel: logLevel.NOTHING,
  });
  for (const idempotent of [false, true]) {
    const producer = kafka.producer({ idempotent });
    await producer.connect();
    for (let round = 0; round < ROUNDS; round += 1) {
      const compression = round % 2 === 0 ? CompressionTypes.None : CompressionTypes.GZIP;
      const messages = KEYS.map((key) => ({ key, value: `in round ${round}` }));
      await producer.send({ topic, compression, messages });
    }
    await producer.disconnect();
  }
  const consumer = kafka.consumer({ groupId, heartbeatInterval: 100, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  let seen = 0;
  await new Promise<void>((resolve, reject) => {
    consumer.on("consumer.crash", ({ payload }) => reject(payload.error));
    const running = consumer.run({
      eachMessage: async () => {
        seen += 1;
        if (seen === 2 * RECORDS) resolve();
      },
    });
    running.catch(reject);
  });
  await consumer.disconnect();
  const admin = kafka.admin();
  await admin.connect();
  await admin.fetchOffsets({ groupId, topics: [topic] });
  await admin.fetchTopicOffsets(topic);
  await admin.describeGroups([groupId]);
  await admin.deleteGroups([groupId]);
  await admin.disconnect();
}

async function platformatic({ bootstrap, topic, groupId }: ClientOptions): Promise<void> {
  const common = { clientId: "recorded", bootstrapBrokers: [bootstrap] };
  for (const idempotent of [false, true]) {
    const producer = new Producer({ ...common, serializers: stringSerializers, idempotent });
    for (let round = 0; round < ROUNDS; round += 1) {
      const messages = KEYS.map((key) => ({ topic, key, value: `in round ${round}` }));
      await producer.send({ messages });
    }
    await producer.close();
  }
  const consumer = new Consumer({
    ...common,
    groupId,
    deserializers: stringDeserializers,
    heartbeatInterval: 100,
    maxWaitTime: 100,
    autocommit: false,
  });
  const stream = await consumer.consume({
    topics: [topic],
    mode: "committed",
    fallbackMode: "earliest",
  });
  let seen = 0;
  for await (const message of stream) {
    seen += 1;
    if (seen % PER_ROUND === 0) await message.commit();
    if (seen === 2 * RECORDS) break;
  }
  await new Promise<void>((resolve) => {
    consumer.close(true, () => resolve());
  });
}

async function kcat({ bootstrap, topic, groupId }: ClientOptions): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const settings = round % 2 === 0 ? [] : ["-X", "enable.idempotence=true", "-z", "gzip"];
    const args = ["-b", bootstrap, "-P", "-t", topic, "-K", ":", ...settings];
    const lines = KEYS.map((key) => `${key}:in round ${round}\n`).join("");
    await run(args, lines);
  }
  const settings = ["-X", "auto.offset.reset=earliest", "-X", "heartbeat.interval.ms=100"];
  await run(["-b", bootstrap, "-G", groupId, "-e", ...settings, topic]);
  await run(["-b", bootstrap, "-L", "-t", topic]);
  await run(["-b", bootstrap, "-Q", "-t", `${topic}:0:-1`]);
}

async function run(args: readonly string[], input = ""): Promise<void> {
  const child = spawn("kcat", args, { stdio: ["pipe", "ignore", "ignore"] });
  child.stdin.end(input);
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`kcat ${args.join(" ")} ended with ${code}`);
}
