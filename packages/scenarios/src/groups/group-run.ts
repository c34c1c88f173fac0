import type { Client } from "../clients/client.ts";
import { committedOffsets, createTopics } from "../kafkajs-admin.ts";
import type { Server } from "../server.ts";
import { until } from "../until.ts";
import { GroupBook } from "./group-book.ts";
import { GroupMember } from "./group-member.ts";
import { GroupWriter } from "./group-writer.ts";

export const GROUP_PARTITIONS = 6;
const TOPIC = "grouped";
const GROUP = "members";

export interface GroupRunResult {
  readonly acknowledged: number;
  /** Acknowledged and given to no member. */
  readonly missing: readonly string[];
  readonly repeated: number;
  readonly violations: readonly string[];
  /** Commits of the end: what the broker has, what was acknowledged, what was asked for; by partition. */
  readonly commits: readonly (readonly [stored: number, acknowledged: number, attempted: number])[];
}

/**
 * Members of one client come, leave and go on over deaths of the broker while a writer writes: one, two, a death, one, a death,
 * another.
 */
export async function groupRun(server: Server, client: Client): Promise<GroupRunResult> {
  const { address: bootstrap } = server;
  await createTopics(bootstrap, [TOPIC], GROUP_PARTITIONS);
  const launch = await client.prepare();
  const writer = await GroupWriter.start(bootstrap, TOPIC, GROUP_PARTITIONS);
  const book = new GroupBook();
  const members: GroupMember[] = [];
  const join = (name: string): GroupMember => {
    const restart = client.lacks?.endurance === true;
    const place = { bootstrap, group: GROUP, topic: TOPIC };
    const member = new GroupMember({ name, client, launch, ...place, book, restart });
    members.push(member);
    return member;
  };
  const untilAll = (what: string, holds: () => boolean): Promise<void> =>
    until(what, () => {
      for (const member of members) member.check();
      return holds();
    });
  const progress = async (what: string, count: number, ...those: GroupMember[]): Promise<void> => {
    // A member may begin anew, and count from 0 then.
    const before = new Map(those.map((member) => [member, [member.life, member.life.delivered]]));
    await untilAll(`${what}: each has ${count} more`, () =>
      those.every((member) => {
        const [life, delivered] = before.get(member) ?? [];
        const began = life === member.life ? Number(delivered) : 0;
        return member.life.delivered - began >= count;
      }),
    );
  };

  try {
    const one = join("one");
    await progress("one member", 200, one);
    const two = join("two");
    await progress("two members", 100, one, two);
    await server.kill();
    await server.start();
    await progress("two members after a death", 100, one, two);
    await two.leave();
    await progress("one is left", 200, one);
    await server.kill();
    await server.start();
    await progress("one is left after a death", 100, one);
    const three = join("three");
    await progress("another comes", 50, one, three);
    await one.leave();
    await writer.stop();
    await untilAll("everything was given to somebody", () => writer.isAllIn(book.seen));
    await three.leave();
  } finally {
    for (const member of members) await member.kill();
  }
  const stored = await committedOffsets(bootstrap, GROUP, TOPIC);
  return {
    acknowledged: writer.acknowledged.size,
    missing: writer.missingIn(book.seen),
    repeated: book.repeated,
    violations: book.violations,
    commits: stored.map((offset, partition) => [
      offset,
      book.acknowledged.get(partition) ?? -1,
      book.attempted.get(partition) ?? -1,
    ]),
  };
}
