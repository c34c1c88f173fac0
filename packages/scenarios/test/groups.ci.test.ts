import assert from "node:assert/strict";
import { test } from "vitest";
import {
  clientNamed,
  committedOffsets,
  createTopics,
  GROUP_PARTITIONS,
  GroupBook,
  GroupMember,
  groupRun,
  GroupWriter,
  until,
} from "../dist/index.js";
import { inWorld, kcatIsMissing, SMALL } from "./world.ts";

const ALL = Array.from({ length: GROUP_PARTITIONS }, (_, partition) => partition);

test.each(["kafkajs", "@platformatic/kafka"])(
  "a group of %s members loses no record and no acknowledged commit over deaths of the broker",
  (name) =>
    inWorld(async (world) => {
      const server = await world.serve(["--data", world.data, ...SMALL]);
      const result = await groupRun(server, clientNamed(name));
      process.stdout.write(`${name}: ${JSON.stringify({ ...result, kills: server.kills })}\n`);
      assert.deepEqual(result.violations, []);
      assert.deepEqual(result.missing, []);
      assert.equal(result.commits.length, GROUP_PARTITIONS);
      for (const [stored, acknowledged, attempted] of result.commits)
        assert(stored >= acknowledged && stored <= attempted, JSON.stringify(result.commits));
      await server.stop();
    }),
);

test.skipIf(kcatIsMissing)("a group of kcats: killed members, killed brokers", () =>
  inWorld(async (world) => {
    const server = await world.serve(["--data", world.data, ...SMALL]);
    const topic = "t";
    await createTopics(server.address, [topic], GROUP_PARTITIONS);
    const writer = await GroupWriter.start(server.address, topic, GROUP_PARTITIONS);
    const client = clientNamed("kcat");
    const launch = await client.prepare();
    const book = new GroupBook();
    const members: GroupMember[] = [];
    const join = (): GroupMember => {
      const name = `member ${members.length}`;
      const place = { bootstrap: server.address, group: "g", topic };
      const member = new GroupMember({ name, client, launch, ...place, book, commit: "client" });
      members.push(member);
      return member;
    };
    try {
      const share = async (one: GroupMember, two: GroupMember): Promise<void> => {
        await until(
          "two members share",
          () => two.assigned.length > 0 && one.assigned.length + two.assigned.length === ALL.length,
        );
        assert.deepEqual(
          [...one.assigned, ...two.assigned].toSorted((a, b) => a - b),
          ALL,
        );
      };
      const first = join();
      await until("one member has everything", () => first.assigned.length === GROUP_PARTITIONS);
      const second = join();
      await share(first, second);
      await server.kill();
      await until("both have given up", () => first.hasEnded && second.hasEnded);
      await server.start();
      // Those before have not left: they are in the way until their sessions end.
      const [one, two] = [join(), join()];
      await share(one, two);
      // Without a word: what it had goes to the other when its session has ended.
      await two.kill();
      await until("one has everything again", () => one.assigned.length === GROUP_PARTITIONS);
      await writer.stop();
      await until("everything was read", () => writer.isAllIn(book.seen));
      await one.leave();
      const stored = await committedOffsets(server.address, "g", topic);
      for (const partition of ALL) {
        const read = one.records.filter((record) => record.partition === partition);
        assert.equal(stored[partition], (read.at(-1)?.offset ?? -1) + 1);
      }
      await server.kill();
      await server.start();
      assert.deepEqual(await committedOffsets(server.address, "g", topic), stored);
      const three = join();
      await until("another has everything", () => three.assigned.length === GROUP_PARTITIONS);
      const late = await GroupWriter.start(server.address, topic, 1);
      await until("it reads on", () => three.records.length > 20);
      await late.stop();
      assert.equal(three.records[0]?.offset, stored[0]);
    } finally {
      for (const member of members) await member.kill();
    }
    await server.stop();
  }),
);
