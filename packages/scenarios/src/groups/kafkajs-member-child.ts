/*
 * kafkajs-member-child.js NAME BOOTSTRAP GROUP TOPIC HANG_AFTER: a kafkajs group member in a process of its own, to be killed. It says
 * what happens, a line each, before it goes on: what it was given is written to the pipe before it is committed. It takes no record
 * before the line `go`, and leaves the group when its input ends. After HANG_AFTER records, unless that is 0, it does nothing any more.
 */
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { Kafka, logLevel } from "kafkajs";
import { registerCodecs } from "../kafkajs-codecs.ts";

const COMMIT_EVERY = 50;
const GATE_POLL_MS = 50;

const [name = "", bootstrap = "", groupId = "", topic = "", hangAfter = "0"] =
  process.argv.slice(2);

/** Pipes are written synchronously: the line is out when this returns. */
function say(...fields: readonly (string | number)[]): void {
  process.stdout.write(`${fields.join("\t")}\n`);
}

registerCodecs((codec) => say("codec", codec));

const gate = { isOpen: false };
let delivered = 0;
const input = createInterface({ input: process.stdin });
input.on("line", () => (gate.isOpen = true));
const inputEnded = new Promise<void>((resolve) => {
  input.on("close", resolve);
});

const kafka = new Kafka({
  clientId: name,
  brokers: [bootstrap],
  logLevel: logLevel.NOTHING,
  connectionTimeout: 5_000,
  retry: { retries: 10_000, initialRetryTime: 50, maxRetryTime: 300 },
});
const consumer = kafka.consumer({
  groupId,
  sessionTimeout: 8_000,
  rebalanceTimeout: 20_000,
  heartbeatInterval: 300,
  maxWaitTimeInMs: 200,
});
consumer.on("consumer.group_join", ({ payload }) => {
  say("assigned", ...(payload.memberAssignment[topic] ?? []));
});
await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
await consumer.run({
  autoCommit: false,
  eachBatchAutoResolve: false,
  eachBatch: async ({ batch, resolveOffset, heartbeat, isRunning, isStale }) => {
    const { partition, messages } = batch;
    while (!gate.isOpen) {
      await heartbeat();
      await delay(GATE_POLL_MS);
      if (!isRunning() || isStale()) return;
    }
    for (const [at, message] of messages.entries()) {
      if (!isRunning() || isStale()) return;
      const offset = Number(message.offset);
      say("row", partition, offset, String(message.key), String(message.value));
      delivered += 1;
      if (delivered === Number(hangAfter)) {
        say("hangs");
        await new Promise(() => undefined);
      }
      resolveOffset(message.offset);
      if (at % COMMIT_EVERY !== COMMIT_EVERY - 1 && at !== messages.length - 1) continue;
      say("committing", partition, offset + 1);
      await consumer.commitOffsets([{ topic, partition, offset: String(offset + 1) }]);
      say("committed", partition, offset + 1);
      await heartbeat();
    }
  },
});
await inputEnded;
await consumer.disconnect();
