import { Kafka, logLevel } from "kafkajs";
import { setTimeout as delay } from "node:timers/promises";
import type { Server } from "../server.ts";
import { createTopics } from "../writers/kafkajs.ts";
import { GroupBook } from "./group-book.ts";
import { GroupWriter } from "./group-writer.ts";
import type { GroupMember, MemberFactory } from "./member.ts";

export const GROUP_PARTITIONS = 6;
const TOPIC = "grouped";
const GROUP = "members";
const POLL_MS = 20;
const PATIENCE_MS = 120_000;

export interface GroupRunResult {
  readonly acknowledged: number;
  /** Acknowledged and given to no member. */
  readonly missing: readonly string[];
  readonly repeated: number;
  readonly violations: readonly string[];
  /** Commits of the end: what the broker has, what was acknowledged, what was asked for; by partition. */
  readonly commits: readonly (readonly [stored: number, acknowledged: number, attempted: number])[];
}

/** Waits until it holds. @throws Error naming what was waited for. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  for (let waitedMs = 0; !holds(); waitedMs += POLL_MS) {
    if (waitedMs > PATIENCE_MS) throw new Error(`waited in vain until ${what}`);
    await delay(POLL_MS);
  }
}

/** What a group has committed, by partition; -1: nothing. */
export async function committedOffsets(
  bootstrap: string,
  groupId: string,
  topic: string,
): Promise<number[]> {
  const brokers = [bootstrap];
  const admin = new Kafka({ clientId: "admin", brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
  await admin.disconnect();
  const offsets: number[] = [];
  for (const { partition, offset } of found?.partitions ?? []) offsets[partition] = Number(offset);
  return offsets;
}

/**
 * Members come, leave and go on over deaths of the broker while a writer writes: one, two, a death, one, a death, another.
 */
export async function groupRun(server: Server, start: MemberFactory): Promise<GroupRunResult> {
  await createTopics(server.address, [TOPIC], GROUP_PARTITIONS);
  const writer = await GroupWriter.start(server.address, TOPIC, GROUP_PARTITIONS);
  const book = new GroupBook();
  const join = (name: string): Promise<GroupMember> =>
    start({ name, bootstrap: server.address, groupId: GROUP, topic: TOPIC, book });
  const progress = async (
    what: string,
    count: number,
    ...members: GroupMember[]
  ): Promise<void> => {
    // A member may begin anew, and count from 0 then.
    const before = new Map(members.map((member) => [member, [member.life, member.life.delivered]]));
    await until(`${what}: each has ${count} more`, () =>
      members.every((member) => {
        const [life, delivered] = before.get(member) ?? [];
        const began = life === member.life ? Number(delivered) : 0;
        return member.life.delivered - began >= count;
      }),
    );
  };

  const one = await join("one");
  await progress("one member", 200, one);
  const two = await join("two");
  await progress("two members", 100, one, two);
  await server.kill();
  await server.start();
  await progress("two members after a death", 100, one, two);
  await two.stop();
  await progress("one is left", 200, one);
  await server.kill();
  await server.start();
  await progress("one is left after a death", 100, one);
  const three = await join("three");
  await progress("another comes", 50, one, three);
  await one.stop();
  await writer.stop();
  await until("everything was given to somebody", () =>
    [...writer.acknowledged].every((value) => book.seen.has(value)),
  );
  await three.stop();
  const stored = await committedOffsets(server.address, GROUP, TOPIC);
  return {
    acknowledged: writer.acknowledged.size,
    missing: [...writer.acknowledged].filter((value) => !book.seen.has(value)),
    repeated: book.repeated,
    violations: book.violations,
    commits: stored.map((offset, partition) => [
      offset,
      book.acknowledged.get(partition) ?? -1,
      book.attempted.get(partition) ?? -1,
    ]),
  };
}
