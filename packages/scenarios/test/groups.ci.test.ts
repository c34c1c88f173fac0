import assert from "node:assert/strict";
import { test } from "vitest";
import {
  committedOffsets,
  createTopics,
  GROUP_PARTITIONS,
  groupRun,
  GroupWriter,
  kafkajsMember,
  KcatMember,
  platformaticMember,
  until,
} from "../dist/index.js";
import { inWorld, kcatIsMissing, SMALL } from "./world.ts";

const ALL = Array.from({ length: GROUP_PARTITIONS }, (_, partition) => partition);

test.each([
  ["kafkajs", kafkajsMember],
  ["@platformatic/kafka", platformaticMember],
] as const)(
  "a group of %s members loses no record and no acknowledged commit over deaths of the broker",
  (name, start) =>
    inWorld(async (world) => {
      const server = await world.serve(["--data", world.data, ...SMALL]);
      const result = await groupRun(server, start);
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
    const members: KcatMember[] = [];
    const join = (): KcatMember => {
      const member = new KcatMember({ bootstrap: server.address, groupId: "g", topic });
      members.push(member);
      return member;
    };
    try {
      const share = async (one: KcatMember, two: KcatMember): Promise<void> => {
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
      await two.end("SIGKILL");
      await until("one has everything again", () => one.assigned.length === GROUP_PARTITIONS);
      await writer.stop();
      const seen = () => new Set(members.flatMap(({ records }) => records.map((r) => r.value)));
      await until("everything was read", () => {
        const values = seen();
        return [...writer.acknowledged].every((value) => values.has(value));
      });
      await one.end("SIGTERM");
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
      for (const member of members) await member.end("SIGKILL");
    }
    await server.stop();
  }),
);
