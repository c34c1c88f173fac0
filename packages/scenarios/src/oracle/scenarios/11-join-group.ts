import {
  join,
  joined,
  memberIdOf,
  memberOf,
  same,
  stableGroup,
  sync,
  untilRebalancing,
} from "../members.ts";
import type { Run, Scenario } from "../scenario.ts";

const FIRST_VERSION_WITH_REQUIRED_ID = 4;
const FIRST_VERSION_WITH_INSTANCES = 5;
const SESSION_TIMEOUTS = [5_999, 6_000, 1_800_000, 1_800_001, 0, -1];

export const joinGroup: Scenario = {
  apiKey: 11,
  run: async (run) => {
    await stableGroup(run);
    for (const version of run.versions) {
      await refused(run, version);
      await alone(run, version);
      await second(run, version);
      if (version >= FIRST_VERSION_WITH_INSTANCES) await fixed(run, version);
    }
    await run.fill(async (version) => {
      const protocols = ["range", "roundrobin", "sticky"].filter(() => run.random.fraction() < 0.5);
      const wish = {
        group: run.name("group"),
        protocols,
        metadata: `${run.random.integer(0, 99)}`,
      };
      const first = await join(run.pair, version, "generated", wish);
      const memberId = memberIdOf(first);
      if (memberId.kafka !== "" && first.kafka?.errorCode !== 0)
        await join(run.pair, version, "generated, with its id", { ...wish, memberId });
    });
  },
};

async function refused(run: Run, version: number): Promise<void> {
  const ask = async (name: string, wish: Parameters<typeof join>[3]): Promise<void> => {
    await join(run.pair, version, name, wish);
  };
  await ask("empty group", { group: "" });
  for (const sessionTimeoutMs of SESSION_TIMEOUTS)
    await ask(`session timeout ${sessionTimeoutMs}`, {
      group: run.name("group"),
      sessionTimeoutMs,
    });
  await ask("unknown group, a member id", { group: run.name("group"), memberId: same("stranger") });
  await ask("no protocols", { group: run.name("group"), protocols: [] });
  await ask("no protocol type", { group: run.name("group"), protocolType: "" });
  await ask("no protocols, no type", { group: run.name("group"), protocolType: "", protocols: [] });
  const { group } = await stableGroup(run);
  await ask("known group, unknown member", { group, memberId: same("stranger") });
  await ask("other protocol type", { group, protocolType: "connect" });
  await ask("no common protocol", { group, protocols: ["other"] });
  await ask("no protocols, known group", { group, protocols: [] });
}

/** One member, from its first request to its last. */
async function alone(run: Run, version: number): Promise<void> {
  const wish = { group: run.name("group"), protocols: ["range", "roundrobin"] };
  let answers = await join(run.pair, version, "first", wish);
  if (version >= FIRST_VERSION_WITH_REQUIRED_ID) {
    const memberId = memberIdOf(answers);
    answers = await join(run.pair, version, "with its id", { ...wish, memberId });
  }
  const member = memberOf(wish.group, answers);
  const { memberId } = member;
  await join(run.pair, version, "again, before its sync", { ...wish, memberId });
  const changed = { ...wish, memberId, metadata: "other" };
  const moved = memberOf(
    wish.group,
    await join(run.pair, version, "changed, before its sync", changed),
  );
  await sync(run.pair, 2, "sync", moved, { uncounted: true });
  const later = memberOf(wish.group, await join(run.pair, version, "again, stable", changed));
  await sync(run.pair, 2, "sync", later, { uncounted: true });
  await join(run.pair, version, "other metadata, stable", { ...changed, metadata: "third" });
}

/** A second member comes, and both have to join. */
async function second(run: Run, version: number): Promise<void> {
  const first = await stableGroup(run);
  const other = run.pair.another();
  const wish = { group: first.group, metadata: "second" };
  let memberId;
  if (version >= FIRST_VERSION_WITH_REQUIRED_ID)
    memberId = memberIdOf(await join(other, version, "second, no id", wish));
  const comes = join(other, version, "second", {
    ...wish,
    ...(memberId === undefined ? {} : { memberId }),
  });
  await untilRebalancing(run, first);
  await join(run.pair, version, "first, again", { group: first.group, memberId: first.memberId });
  await comes;
  other.close();
}

/** Members with an instance id. */
async function fixed(run: Run, version: number): Promise<void> {
  const group = run.name("group");
  const wish = { group, instanceId: "fixed-1" };
  const member = memberOf(group, await join(run.pair, version, "instance", wish));
  await sync(run.pair, 3, "sync", member, { uncounted: true, instanceId: wish.instanceId });
  const memberId = member.memberId;
  await join(run.pair, version, "instance, again without an id", wish);
  await join(run.pair, version, "instance, its former id", { ...wish, memberId });
  await join(run.pair, version, "instance, an unknown id", { ...wish, memberId: same("stranger") });
  await join(run.pair, version, "another instance's id", {
    ...wish,
    instanceId: "fixed-2",
    memberId,
  });
  await join(run.pair, version, "empty instance id", { group: run.name("group"), instanceId: "" });
  const odd = await joined(run.pair, { group: run.name("group"), instanceId: "x".repeat(249) });
  await join(run.pair, version, "long instance id, its id", {
    group: odd.group,
    instanceId: "x".repeat(249),
    memberId: odd.memberId,
  });
}
