import { heartbeatApi } from "@karst/kafka-protocol";
import { join, type Member, memberIdOf, same, stableGroup, untilRebalancing } from "../members.ts";
import { type Run, type Scenario, since } from "../scenario.ts";

const FIRST_VERSION_WITH_INSTANCES = 3;

export const heartbeat: Scenario = {
  apiKey: 12,
  run: async (run) => {
    for (const version of run.versions) {
      const member = await stableGroup(run);
      await beat(run, version, "stable", member);
      for (const by of [1, -1, 100])
        await beat(run, version, `generation ${by}`, later(member, by));
      await beat(run, version, "unknown member", { ...member, memberId: same("stranger") });
      await beat(run, version, "no member id", { ...member, memberId: same("") });
      await beat(run, version, "unknown group", { ...member, group: "missing" });
      await beat(run, version, "empty group", { ...member, group: "" });
      if (version >= FIRST_VERSION_WITH_INSTANCES) await fixed(run, version, member);
      const other = run.pair.another();
      const wish = { group: member.group };
      const memberId = memberIdOf(await join(other, 4, "second", wish, { uncounted: true }));
      const comes = join(other, 4, "second", { ...wish, memberId }, { uncounted: true });
      await untilRebalancing(run, member);
      await beat(run, version, "rebalancing", member);
      await beat(run, version, "rebalancing, other generation", later(member, 1));
      await join(run.pair, 4, "first", { ...wish, memberId: member.memberId }, { uncounted: true });
      await comes;
      other.close();
      await beat(run, version, "before the sync, old generation", member);
      await beat(run, version, "before the sync", later(member, 1));
    }
    const member = await stableGroup(run);
    await run.fill(async (version) => {
      const by = run.random.integer(-2, 2);
      const memberId = run.random.fraction() < 0.5 ? member.memberId : same("stranger");
      await beat(run, version, "generated", { ...later(member, by), memberId });
    });
  },
};

function later(member: Member, by: number): Member {
  const { kafka, karst } = member.generation;
  return { ...member, generation: { kafka: kafka + by, karst: karst + by } };
}

async function fixed(run: Run, version: number, dynamic: Member): Promise<void> {
  await beat(run, version, "unknown instance", dynamic, "nobody");
  const member = await stableGroup(run, { instanceId: "fixed" });
  await beat(run, version, "instance", member, "fixed");
  await beat(run, version, "instance not said", member);
  await beat(run, version, "instance, other member", { ...member, memberId: same("x") }, "fixed");
  await beat(run, version, "instance, other generation", later(member, 1), "fixed");
}

async function beat(
  run: Run,
  version: number,
  name: string,
  member: Member,
  instanceId: string | null = null,
): Promise<void> {
  await run.pair.call(name, heartbeatApi, version, (at) => ({
    groupId: member.group,
    generationId: at.pick(member.generation),
    memberId: at.pick(member.memberId),
    ...since(version, FIRST_VERSION_WITH_INSTANCES, { groupInstanceId: instanceId }),
  }));
}
