import { offsetDeleteApi } from "@karst/kafka-protocol";
import { commitSimply, groupPhases } from "../group-phases.ts";
import type { Run, Scenario } from "../scenario.ts";

/** Topics with partitions. */
type Topics = readonly (readonly [string, readonly number[]])[];

export const offsetDelete: Scenario = {
  apiKey: 47,
  run: async (run) => {
    const topic = await run.topic({ partitions: 3 });
    const unread = await run.topic({ partitions: 3 });
    const kept = await run.topic({ partitions: 2 });
    const phases = await groupPhases(run, topic);
    await commitSimply(run.pair, phases.simple, kept);
    const groups = Object.entries({ ...phases, stable: phases.stable.group });
    for (const version of run.versions) {
      for (const [phase, group] of groups) {
        const ask = (name: string, topics: Topics): Promise<void> =>
          remove(run, version, `${phase}: ${name}`, group, topics);
        await ask("nothing", []);
        await ask("no partitions", [[topic, []]]);
        await ask("no partitions of an unknown topic", [["missing", []]]);
        await ask("of the topic that is read", [[topic, [0]]]);
        await ask("of a topic that is not read", [[unread, [0, 1]]]);
        await ask("both", [
          [topic, [1, 2]],
          [unread, [0]],
        ]);
        await ask("unknown partition", [[unread, [3, -1, 0]]]);
        await ask("a partition twice", [[unread, [0, 0]]]);
        for (const unknown of ["missing", "", "a b"])
          await ask(`unknown topic of ${unknown.length}`, [
            [unknown, [0]],
            [unread, [0]],
          ]);
      }
      for (const group of ["missing", "", "a b"]) {
        await remove(run, version, `unknown group of ${group.length}`, group, [[topic, [0]]]);
        await remove(run, version, `unknown group of ${group.length}, nothing`, group, []);
      }
      await remaining(run, version, topic);
    }
    await run.fill(async (version) => {
      const partitions = Array.from({ length: run.random.integer(0, 4) }, () =>
        run.random.integer(-1, 3),
      );
      const [phase, group] = run.one(groups);
      const names = [topic, unread, "missing"].filter(() => run.random.fraction() < 0.5);
      const wanted = names.map((name) => [name, partitions] as const);
      await remove(run, version, `generated, ${phase}`, group, wanted);
    });
  },
};

/** Offsets that are there, until the last is gone. */
async function remaining(run: Run, version: number, topic: string): Promise<void> {
  const group = run.name("simple");
  await commitSimply(run.pair, group, topic);
  await remove(run, version, "one of two", group, [[topic, [0]]]);
  await remove(run, version, "one that is gone", group, [[topic, [0]]]);
  await remove(run, version, "never committed", group, [[topic, [2]]]);
  await remove(run, version, "the last", group, [[topic, [1]]]);
  await remove(run, version, "after the last", group, [[topic, [1]]]);
}

async function remove(
  run: Run,
  version: number,
  name: string,
  groupId: string,
  topics: Topics,
): Promise<void> {
  await run.pair.call(name, offsetDeleteApi, version, {
    groupId,
    topics: topics.map(([topic, partitions]) => ({
      name: topic,
      partitions: partitions.map((partitionIndex) => ({ partitionIndex })),
    })),
  });
}
