import { offsetCommitApi } from "@karst/kafka-protocol";
import { type Member, same, stableGroup } from "../members.ts";
import { type Run, type Scenario, since } from "../scenario.ts";

const STRANGE_ID = "0123456789abcdef0123456789abcdef";
const FIRST_VERSION_WITH_INSTANCES = 7;
const FIRST_VERSION_WITH_TOPIC_IDS = 10;
const METADATA_BYTES_MAX = 4_096;

interface Offset {
  readonly topic: string;
  readonly partition: number;
  readonly offset?: number;
  readonly epoch?: number;
  readonly metadata?: string | null;
}

export const offsetCommit: Scenario = {
  apiKey: 8,
  run: async (run) => {
    const topic = await run.topic({ partitions: 3 });
    for (const version of run.versions) {
      const at = (partition: number): Offset => ({ topic, partition });
      const simple = memberless(run.name("group"));
      await commit(run, version, "simple", simple, [at(0), at(1)]);
      await commit(run, version, "nothing", simple, []);
      await values(run, version, topic);
      await commit(run, version, "unknown partition", simple, [at(3), at(-1), at(0)]);
      for (const unknown of ["missing", "", "a b"])
        await commit(run, version, `unknown topic of ${unknown.length}`, simple, [
          { ...at(0), topic: unknown },
          at(0),
        ]);
      await commit(run, version, "a partition twice", simple, [at(0), { ...at(0), offset: 9 }]);
      await commit(run, version, "empty group", memberless(""), [at(0)]);
      await members(run, version, at(0));
    }
    const member = await stableGroup(run);
    await run.fill(async (version) => {
      const offsets = Array.from({ length: run.random.integer(0, 3) }, (_, partition) => ({
        topic: run.one([topic, topic, "missing"]),
        partition,
        offset: run.random.integer(-2, 1_000),
      }));
      const who = run.one([member, memberless(member.group), later(member, 1)]);
      await commit(run, version, "generated", who, offsets);
    });
  },
};

async function values(run: Run, version: number, topic: string): Promise<void> {
  const simple = memberless(run.name("group"));
  for (const offset of [0, -1, -2, 1_000_000])
    await commit(run, version, `offset ${offset}`, simple, [{ topic, partition: 0, offset }]);
  for (const epoch of [-1, 0, 5, -2])
    await commit(run, version, `epoch ${epoch}`, simple, [{ topic, partition: 0, epoch }]);
  for (const metadata of [
    null,
    "",
    "words",
    "x".repeat(METADATA_BYTES_MAX),
    "x".repeat(METADATA_BYTES_MAX + 1),
    "é".repeat(METADATA_BYTES_MAX / 2 + 1),
  ])
    await commit(run, version, `metadata of ${metadata?.length}`, simple, [
      { topic, partition: 0, metadata },
    ]);
}

async function members(run: Run, version: number, offset: Offset): Promise<void> {
  const member = await stableGroup(run);
  await commit(run, version, "member", member, [offset]);
  for (const by of [1, -1])
    await commit(run, version, `generation ${by}`, later(member, by), [offset]);
  await commit(run, version, "unknown member", { ...member, memberId: same("stranger") }, [offset]);
  await commit(run, version, "no member, a group of members", memberless(member.group), [offset]);
  const known = { ...memberless(member.group), memberId: member.memberId };
  await commit(run, version, "member, no generation", known, [offset]);
  const unknown = { ...member, group: run.name("group") };
  await commit(run, version, "unknown group, a generation", unknown, [offset]);
  const stranger = { ...memberless(run.name("group")), memberId: same("stranger") };
  await commit(run, version, "unknown group, a member id", stranger, [offset]);
  if (version < FIRST_VERSION_WITH_INSTANCES) return;
  const fixed = await stableGroup(run, { instanceId: "fixed" });
  await commit(run, version, "instance", fixed, [offset], "fixed");
  await commit(run, version, "unknown instance", fixed, [offset], "nobody");
  await commit(
    run,
    version,
    "instance, other member",
    { ...fixed, memberId: same("x") },
    [offset],
    "fixed",
  );
}

function memberless(group: string): Member {
  return { group, memberId: same(""), generation: { kafka: -1, karst: -1 } };
}

function later(member: Member, by: number): Member {
  const { kafka, karst } = member.generation;
  return { ...member, generation: { kafka: kafka + by, karst: karst + by } };
}

async function commit(
  run: Run,
  version: number,
  name: string,
  member: Member,
  offsets: readonly Offset[],
  instanceId: string | null = null,
): Promise<void> {
  const topics = [...new Set(offsets.map(({ topic }) => topic))];
  await run.pair.call(name, offsetCommitApi, version, (at) => ({
    groupId: member.group,
    generationIdOrMemberEpoch: at.pick(member.generation),
    memberId: at.pick(member.memberId),
    ...since(version, FIRST_VERSION_WITH_INSTANCES, { groupInstanceId: instanceId }),
    topics: topics.map((topic) => ({
      ...(version < FIRST_VERSION_WITH_TOPIC_IDS
        ? { name: topic }
        : { topicId: topic.startsWith("oracle") ? at.identities.topicId(topic) : STRANGE_ID }),
      partitions: offsets
        .filter((offset) => offset.topic === topic)
        .map(({ partition, offset, epoch, metadata }) => ({
          partitionIndex: partition,
          committedOffset: offset ?? 7,
          ...since(version, 6, { committedLeaderEpoch: epoch ?? -1 }),
          committedMetadata: metadata === undefined ? "m" : metadata,
        })),
    })),
  }));
}
