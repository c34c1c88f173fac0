import { Kafka, logLevel } from "kafkajs";
import type { GroupMember, MemberOptions } from "./member.ts";

const COMMIT_EVERY = 5;

/** kafkajs, which tells what it was assigned. */
export async function kafkajsMember(options: MemberOptions): Promise<GroupMember> {
  const { name, topic, groupId } = options;
  const life = options.book.begin(name);
  const kafka = new Kafka({
    clientId: name,
    brokers: [options.bootstrap],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2_000,
    retry: { retries: 10_000, initialRetryTime: 50, maxRetryTime: 300 },
  });
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: 10_000,
    rebalanceTimeout: 10_000,
    heartbeatInterval: 300,
    maxWaitTimeInMs: 200,
  });
  consumer.on("consumer.group_join", ({ payload }) => {
    life.assigned(payload.memberAssignment[topic] ?? []);
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: async ({ batch, resolveOffset, heartbeat, isRunning, isStale }) => {
      const { partition, messages } = batch;
      const commit = async (next: number): Promise<void> => {
        life.committing(partition, next);
        await consumer.commitOffsets([{ topic, partition, offset: String(next) }]);
        life.committed(partition, next);
      };
      for (const [at, message] of messages.entries()) {
        if (!isRunning() || isStale()) return;
        const offset = Number(message.offset);
        life.deliver(partition, offset, message.value?.toString() ?? "");
        resolveOffset(message.offset);
        if (at % COMMIT_EVERY === COMMIT_EVERY - 1 || at === messages.length - 1) {
          await commit(offset + 1);
          await heartbeat();
        }
      }
    },
  });
  return { life, stop: () => consumer.disconnect() };
}
