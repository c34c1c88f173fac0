import assert from "node:assert/strict";
import type { CodecName } from "../clients/events.ts";
import { clientNamed } from "../clients/matrix.ts";
import { committedOffsets, endsOf } from "../kafkajs-admin.ts";
import type { Seeded } from "../seeded.ts";
import { until } from "../until.ts";
import type { ReadRow } from "../verify.ts";
import { GroupBook } from "./group-book.ts";
import { type GivenRecord, GroupMember } from "./group-member.ts";

const GROUP = "readers";

export interface GroupReading {
  /** Every record of the topic once, whoever was given it. */
  readonly rows: readonly ReadRow[];
  /** Codecs of the batches that were decompressed. */
  readonly codecs: readonly CodecName[];
  /** How many records each was given; the victim dies on the way, the survivor is given the rest. */
  readonly delivered: { readonly victim: number; readonly survivor: number };
  /** Records that both were given. */
  readonly repeated: number;
}

/**
 * A topic of two partitions, read by a group of two kafkajs members in processes of their own. When each has a partition they begin;
 * one of them is killed between two commits, and the other takes over.
 *
 * @throws AssertionError where a record is given to nobody, or out of order; where a reading begins below what was committed or above
 * what anybody tried to; where what is committed at the death or the end is not what was delivered.
 */
export async function readByGroup(options: {
  readonly bootstrap: string;
  readonly topic: string;
  readonly random: Seeded;
}): Promise<GroupReading> {
  const { bootstrap, topic, random } = options;
  const ends = await endsOf(bootstrap, topic);
  const book = new GroupBook();
  const least = Math.min(...ends);
  const hangAfter = random.integer(Math.ceil(least / 10), Math.ceil(least / 2));
  const client = clientNamed("kafkajs");
  const launch = await client.prepare();
  const join = (name: string, after: number): GroupMember => {
    const how = { gated: true, hangAfter: after, plugged: true };
    return new GroupMember({ name, client, launch, bootstrap, group: GROUP, topic, book, how });
  };
  const [victim, survivor] = [join("victim", hangAfter), join("survivor", 0)];
  const members = [victim, survivor];
  try {
    await until("each member has a partition", () => {
      for (const member of members) member.check();
      const [mine, others] = [victim.assigned, survivor.assigned];
      return mine.length === 1 && others.length === 1 && mine[0] !== others[0];
    });
    const [lost = -1] = victim.assigned;
    for (const member of members) member.go();
    await until("the victim is on its way", () => {
      for (const member of members) member.check();
      return victim.hangs;
    });
    await victim.kill();

    const committed = (await committedOffsets(bootstrap, GROUP, topic))[lost] ?? -1;
    // Nothing below it but what the victim was given, and nothing that it was promised is missing.
    assert.ok(
      Math.max(committed, 0) <= hangAfter && committed < (ends[lost] ?? 0),
      `${committed} is committed in partition ${lost}, where ${hangAfter} records were delivered`,
    );
    assert.ok(
      committed >= (book.acknowledged.get(lost) ?? -1),
      `a commit in partition ${lost} is lost`,
    );

    await until("everything is committed", () => {
      survivor.check();
      return ends.every((end, p) => book.acknowledged.get(p) === end);
    });
    await survivor.leave();
    const given = book.seen.size;
    const total = ends.reduce((sum, end) => sum + end, 0);
    assert.equal(given, total, `${total - given} records were given to nobody`);
    assert.deepEqual(await committedOffsets(bootstrap, GROUP, topic), ends);
  } finally {
    for (const member of members) await member.kill();
  }
  assert.deepEqual(book.violations, []);
  return {
    rows: eachOnce(
      topic,
      members.flatMap((member) => member.records),
    ),
    codecs: [...new Set(members.flatMap((member) => [...member.codecs]))],
    delivered: { victim: victim.records.length, survivor: survivor.records.length },
    repeated: book.repeated,
  };
}

/** @throws AssertionError where a record is another one for somebody else. */
function eachOnce(topic: string, records: readonly GivenRecord[]): ReadRow[] {
  const at = new Map<string, ReadRow>();
  for (const { partition, offset, key, value } of records) {
    const row = { topic, partition, offset, id: Number(key), value };
    const place = `${partition}@${offset}`;
    const before = at.get(place);
    if (before === undefined) at.set(place, row);
    else assert.deepEqual(row, before, `${place} is another record now`);
  }
  return [...at.values()];
}
