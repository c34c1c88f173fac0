import { type Admin, Kafka, logLevel } from "kafkajs";
import { within } from "./within.ts";

const TIMEOUT_MS = 60_000;

/** Asks a broker something, on a connection of its own. @throws Error where it is not answered in time. */
export async function asAdmin<T>(bootstrap: string, ask: (admin: Admin) => Promise<T>): Promise<T> {
  const kafka = new Kafka({ clientId: "admin", brokers: [bootstrap], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  const answer = async (): Promise<T> => {
    await admin.connect();
    return ask(admin);
  };
  try {
    return await within(TIMEOUT_MS, `${bootstrap} answers an admin`, answer());
  } finally {
    await within(TIMEOUT_MS, "an admin is disconnected", admin.disconnect());
  }
}

/** Topics with so many partitions each. */
export async function createTopics(
  bootstrap: string,
  topics: readonly string[],
  numPartitions: number,
): Promise<void> {
  const wanted = { topics: topics.map((topic) => ({ topic, numPartitions })) };
  await asAdmin(bootstrap, (admin) => admin.createTopics(wanted));
}

/** What a group has committed, by partition; -1: nothing. */
export async function committedOffsets(
  bootstrap: string,
  groupId: string,
  topic: string,
): Promise<number[]> {
  const wanted = { groupId, topics: [topic] };
  const [found] = await asAdmin(bootstrap, (admin) => admin.fetchOffsets(wanted));
  const offsets: number[] = [];
  for (const { partition, offset } of found?.partitions ?? []) offsets[partition] = Number(offset);
  return offsets;
}

/** The next offset of each partition. */
export async function endsOf(bootstrap: string, topic: string): Promise<number[]> {
  const ends: number[] = [];
  const found = await asAdmin(bootstrap, (admin) => admin.fetchTopicOffsets(topic));
  for (const { partition, high } of found) ends[partition] = Number(high);
  return ends;
}
