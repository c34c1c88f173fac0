import {
  join,
  joined,
  type Member,
  memberIdOf,
  same,
  stableGroup,
  sync,
  untilRebalancing,
} from "../members.ts";
import type { Run, Scenario } from "../scenario.ts";

const FIRST_VERSION_WITH_INSTANCES = 3;
const FIRST_VERSION_WITH_PROTOCOL = 5;

export const syncGroup: Scenario = {
  apiKey: 14,
  run: async (run) => {
    for (const version of run.versions) {
      await completing(run, version);
      await rebalancing(run, version);
      if (version >= FIRST_VERSION_WITH_INSTANCES) await fixed(run, version);
      if (version >= FIRST_VERSION_WITH_PROTOCOL) await protocols(run, version);
    }
    const member = await stableGroup(run);
    await run.fill(async (version) => {
      const by = run.random.integer(-1, 1);
      const memberId = run.random.fraction() < 0.5 ? member.memberId : same("stranger");
      await ask(run, version, "generated", { ...later(member, by), memberId });
    });
  },
};

async function completing(run: Run, version: number): Promise<void> {
  const member = await joined(run.pair, { group: run.name("group") });
  await ask(run, version, "unknown group", { ...member, group: "missing" });
  await ask(run, version, "empty group", { ...member, group: "" });
  await ask(run, version, "unknown member", { ...member, memberId: same("stranger") });
  await ask(run, version, "no member id", { ...member, memberId: same("") });
  for (const by of [1, -1]) await ask(run, version, `generation ${by}`, later(member, by));
  await ask(run, version, "leader", member);
  await ask(run, version, "leader again, another assignment", member, "other");
  await ask(run, version, "leader again, no assignment", member, null);
  await ask(run, version, "stable, other generation", later(member, 1));
  const careless = await joined(run.pair, { group: run.name("group") });
  await ask(run, version, "leader without assignments", careless, null);
  const empty = await joined(run.pair, { group: run.name("group") });
  await ask(run, version, "leader with an empty assignment", empty, "");
}

/** Two members: the one that follows waits for the one that leads. */
async function rebalancing(run: Run, version: number): Promise<void> {
  const first = await stableGroup(run);
  const other = run.pair.another();
  const wish = { group: first.group };
  const memberId = memberIdOf(await join(other, 4, "second", wish, { uncounted: true }));
  const comes = join(other, 4, "second", { ...wish, memberId }, { uncounted: true });
  await untilRebalancing(run, first);
  await ask(run, version, "rebalancing", first);
  await join(run.pair, 4, "first", { ...wish, memberId: first.memberId }, { uncounted: true });
  await comes;
  const [leader, follower] = [later(first, 1), { ...later(first, 1), memberId }];
  const waits = sync(other, version, "follower", follower, { assignment: null });
  await run.pause();
  await ask(run, version, "leader that forgets the follower", leader);
  await waits;
  other.close();
}

async function fixed(run: Run, version: number): Promise<void> {
  const instanceId = "fixed";
  const member = await joined(run.pair, { group: run.name("group"), instanceId });
  const as = async (name: string, who: Member, instance: string): Promise<void> => {
    await sync(run.pair, version, name, who, { instanceId: instance });
  };
  await as("unknown instance", member, "nobody");
  await as("instance, other member", { ...member, memberId: same("x") }, instanceId);
  await as("instance, other generation", later(member, 1), instanceId);
  await as("instance", member, instanceId);
}

async function protocols(run: Run, version: number): Promise<void> {
  const member = await joined(run.pair, { group: run.name("group") });
  for (const protocol of [
    { type: "connect", name: "range" },
    { type: "consumer", name: "other" },
    { type: null, name: "other" },
    { type: "connect", name: null },
    { type: null, name: "range" },
    { type: null, name: null },
  ])
    await sync(run.pair, version, `protocol ${protocol.type} ${protocol.name}`, member, {
      protocol,
    });
}

function later(member: Member, by: number): Member {
  const { kafka, karst } = member.generation;
  return { ...member, generation: { kafka: kafka + by, karst: karst + by } };
}

async function ask(
  run: Run,
  version: number,
  name: string,
  member: Member,
  assignment: string | null = "mine",
): Promise<void> {
  await sync(run.pair, version, name, member, { assignment });
}
