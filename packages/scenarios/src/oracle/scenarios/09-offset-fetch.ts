import { offsetCommitApi, offsetFetchApi } from "@karst/kafka-protocol";
import { same, stableGroup } from "../members.ts";
import type { Both } from "../pair.ts";
import { type Run, type Scenario, since } from "../scenario.ts";

const STRANGE_ID = "0123456789abcdef0123456789abcdef";
const FIRST_VERSION_WITH_ALL = 2;
const FIRST_VERSION_WITH_GROUPS = 8;
const FIRST_VERSION_WITH_MEMBERS = 9;
const FIRST_VERSION_WITH_TOPIC_IDS = 10;

/** Topics with partitions; null: all. */
type Topics = readonly (readonly [string, readonly number[]])[] | null;

interface Wanted {
  readonly group: string;
  readonly topics: Topics;
  readonly memberId?: Both<string>;
  readonly memberEpoch?: number;
}

export const offsetFetch: Scenario = {
  apiKey: 9,
  run: async (run) => {
    const topic = await run.topic({ partitions: 3 });
    const other = await run.topic();
    const { group } = await stableGroup(run);
    const committed = run.name("group");
    await commit(run, committed, topic, [0, 1]);
    await commit(run, committed, other, [0]);
    for (const version of run.versions) {
      const ask = (name: string, topics: Topics, from = committed): Promise<void> =>
        get(run, version, name, [{ group: from, topics }]);
      await ask("committed", [[topic, [0, 1]]]);
      await ask("never committed", [[topic, [2]]]);
      await ask("two topics", [
        [topic, [0, 2]],
        [other, [0]],
      ]);
      await ask("no partitions", [[topic, []]]);
      await ask("no topics", []);
      await ask("unknown partition", [[topic, [3, -1]]]);
      await ask("unknown topic", [
        ["missing", [0]],
        [topic, [0]],
      ]);
      await ask("a partition twice", [[topic, [0, 0]]]);
      await ask("unknown group", [[topic, [0]]], "missing");
      await ask("empty group", [[topic, [0]]], "");
      await ask("nothing committed in the group", [[topic, [0]]], group);
      if (version >= FIRST_VERSION_WITH_ALL) {
        for (const from of [committed, "missing", "", group]) await ask("all", null, from);
      }
      for (const stable of version >= 7 ? [true] : [])
        await get(
          run,
          version,
          "stable ones",
          [{ group: committed, topics: [[topic, [0]]] }],
          stable,
        );
      if (version >= FIRST_VERSION_WITH_GROUPS) await groups(run, version, committed, topic);
    }
    await run.fill(async (version) => {
      const partitions = Array.from({ length: run.random.integer(0, 4) }, () =>
        run.random.integer(-1, 4),
      );
      const wanted = {
        group: run.one([committed, group, "missing"]),
        topics: [[topic, partitions]] as const,
      };
      await get(run, version, "generated", [wanted]);
    });
  },
};

async function groups(run: Run, version: number, group: string, topic: string): Promise<void> {
  const topics = [[topic, [0]]] as const;
  await get(run, version, "no groups", []);
  await get(run, version, "three groups", [
    { group, topics },
    { group: "missing", topics },
    { group: "", topics },
  ]);
  await get(run, version, "a group twice", [
    { group, topics },
    { group, topics: null },
  ]);
  if (version < FIRST_VERSION_WITH_MEMBERS) return;
  const memberId = same("stranger");
  await get(run, version, "unknown member", [{ group, topics, memberId, memberEpoch: 1 }]);
  await get(run, version, "unknown member, no epoch", [{ group, topics, memberId }]);
  await get(run, version, "an epoch, no member", [{ group, topics, memberEpoch: 3 }]);
}

async function get(
  run: Run,
  version: number,
  name: string,
  wanted: readonly Wanted[],
  requireStable = false,
): Promise<void> {
  await run.pair.call(name, offsetFetchApi, version, (at) => {
    const named = (
      topics: Topics,
    ): { name: string; partitionIndexes: readonly number[] }[] | null =>
      topics?.map(([topic, partitionIndexes]) => ({ name: topic, partitionIndexes })) ?? null;
    const stable = since(version, 7, { requireStable });
    if (version < FIRST_VERSION_WITH_GROUPS) {
      const first = wanted[0];
      return { groupId: first?.group ?? "", topics: named(first?.topics ?? null), ...stable };
    }
    const groupsWanted = wanted.map(({ group, topics, memberId, memberEpoch }) => ({
      groupId: group,
      topics:
        version < FIRST_VERSION_WITH_TOPIC_IDS
          ? named(topics)
          : (topics?.map(([topic, partitionIndexes]) => ({
              topicId: topic.startsWith("oracle") ? at.identities.topicId(topic) : STRANGE_ID,
              partitionIndexes,
            })) ?? null),
      ...since(version, FIRST_VERSION_WITH_MEMBERS, {
        memberId: memberId === undefined ? null : at.pick(memberId),
        memberEpoch: memberEpoch ?? -1,
      }),
    }));
    return { groups: groupsWanted, ...stable };
  });
}

async function commit(
  run: Run,
  groupId: string,
  name: string,
  partitions: readonly number[],
): Promise<void> {
  const offsets = partitions.map((partitionIndex) => ({
    partitionIndex,
    committedOffset: 10 + partitionIndex,
    committedLeaderEpoch: partitionIndex === 0 ? -1 : 0,
    committedMetadata: partitionIndex === 0 ? "words" : null,
  }));
  const { kafka, karst } = await run.pair.call(
    "commit",
    offsetCommitApi,
    6,
    { groupId, memberId: "", topics: [{ name, partitions: offsets }] },
    { uncounted: true },
  );
  for (const answer of [kafka, karst]) {
    const code = answer?.topics[0]?.partitions[0]?.errorCode;
    if (code !== 0) throw new Error(`committing to ${groupId} failed: ${code}`);
  }
}
