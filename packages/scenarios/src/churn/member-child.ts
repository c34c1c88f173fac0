/*
 * A member of a group, as a process that is frozen and killed: kafkajs as it is. It says what it was given, read and committed, in lines
 * on standard output, each before what follows from it. Arguments: address, topic, group, client id.
 */
import { Kafka, logLevel } from "kafkajs";
import { HEARTBEAT_MS, REBALANCE_MS, SESSION_MS } from "./times.ts";

export type MemberMessage =
  | { readonly tag: "assigned"; readonly memberId: string; readonly partitions: readonly number[] }
  /** The broker has confirmed that it is in this generation. */
  | { readonly tag: "confirmed"; readonly memberId: string; readonly generation: number }
  | {
      readonly tag: "delivered";
      readonly partition: number;
      readonly offsets: readonly number[];
    }
  | { readonly tag: "committed"; readonly partition: number; readonly offset: number };

const [address = "", topic = "", groupId = "", clientId = ""] = process.argv.slice(2);
const COMMIT_MS = 200;

/** A pipe is written to at once: what was said before a kill has been said. */
function tell(message: MemberMessage): void {
  console.log(JSON.stringify(message));
}

const kafka = new Kafka({
  clientId,
  brokers: [address],
  logLevel: logLevel.NOTHING,
  connectionTimeout: 1_000,
  retry: { retries: 10_000, initialRetryTime: 50, maxRetryTime: 300 },
});
const consumer = kafka.consumer({
  groupId,
  sessionTimeout: SESSION_MS,
  rebalanceTimeout: REBALANCE_MS,
  heartbeatInterval: HEARTBEAT_MS,
  maxWaitTimeInMs: 200,
});
consumer.on("consumer.group_join", ({ payload: { memberId, memberAssignment } }) => {
  tell({ tag: "assigned", memberId, partitions: memberAssignment[topic] ?? [] });
});
consumer.on("consumer.heartbeat", ({ payload: { memberId, groupGenerationId } }) => {
  tell({ tag: "confirmed", memberId, generation: groupGenerationId });
});
consumer.on("consumer.commit_offsets", ({ payload: { topics } }) => {
  for (const { partitions } of topics)
    for (const { partition, offset } of partitions)
      tell({ tag: "committed", partition: Number(partition), offset: Number(offset) });
});
process.on("SIGTERM", () => {
  consumer.disconnect().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
// Whoever started it is gone.
process.stdin.on("end", () => process.exit(1)).resume();

await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
await consumer.run({
  autoCommitInterval: COMMIT_MS,
  partitionsConsumedConcurrently: 4,
  eachBatch: async ({ batch, heartbeat }) => {
    const offsets = batch.messages.map(({ offset }) => Number(offset));
    tell({ tag: "delivered", partition: batch.partition, offsets });
    await heartbeat();
  },
});
