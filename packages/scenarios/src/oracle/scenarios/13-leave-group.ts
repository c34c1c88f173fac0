import { leaveGroupApi } from "@karst/kafka-protocol";
import { join, memberIdOf, same, stableGroup } from "../members.ts";
import type { Both } from "../pair.ts";
import type { Run, Scenario } from "../scenario.ts";

const FIRST_VERSION_WITH_SEVERAL = 3;
const FIRST_VERSION_WITH_REASON = 5;

interface Leaver {
  readonly memberId: Both<string>;
  readonly instanceId?: string;
}

export const leaveGroup: Scenario = {
  apiKey: 13,
  run: async (run) => {
    for (const version of run.versions) {
      const stranger = { memberId: same("stranger") };
      await leave(run, version, "unknown group", "missing", [stranger]);
      await leave(run, version, "empty group", "", [stranger]);
      const { group, memberId } = await stableGroup(run);
      await leave(run, version, "unknown member", group, [stranger]);
      await leave(run, version, "no member id", group, [{ memberId: same("") }]);
      await leave(run, version, "member", group, [{ memberId }]);
      await leave(run, version, "member that has left", group, [{ memberId }]);
      const pending = { group: run.name("group") };
      const waiting = memberIdOf(await join(run.pair, 4, "join", pending, { uncounted: true }));
      await leave(run, version, "member that has not joined yet", pending.group, [
        { memberId: waiting },
      ]);
      if (version >= FIRST_VERSION_WITH_SEVERAL) await several(run, version);
    }
    const { group } = await stableGroup(run);
    await run.fill(async (version) => {
      const count = version < FIRST_VERSION_WITH_SEVERAL ? 1 : run.random.integer(0, 3);
      const leavers = Array.from({ length: count }, (_, i) => ({
        memberId: same(`stranger ${i}`),
      }));
      await leave(run, version, "generated", run.one([group, "missing", ""]), leavers);
    });
  },
};

async function several(run: Run, version: number): Promise<void> {
  const fixed = await stableGroup(run, { instanceId: "fixed" });
  const { group, memberId } = fixed;
  const instanceId = "fixed";
  await leave(run, version, "nobody", group, []);
  await leave(run, version, "instance, other member", group, [{ memberId: same("x"), instanceId }]);
  await leave(run, version, "unknown instance", group, [{ memberId, instanceId: "nobody" }]);
  await leave(run, version, "unknown instance, no id", group, [
    { memberId: same(""), instanceId: "nobody" },
  ]);
  await leave(run, version, "two unknown ones", group, [
    { memberId: same("a") },
    { memberId: same("b"), instanceId: "b" },
  ]);
  await leave(run, version, "one known, one not", group, [
    { memberId: same(""), instanceId },
    { memberId: same("b") },
  ]);
  const again = await stableGroup(run, { instanceId });
  await leave(run, version, "instance and its member", again.group, [
    { memberId: again.memberId, instanceId },
  ]);
  const dynamic = await stableGroup(run);
  await leave(run, version, "twice", dynamic.group, [
    { memberId: dynamic.memberId },
    { memberId: dynamic.memberId },
  ]);
}

async function leave(
  run: Run,
  version: number,
  name: string,
  group: string,
  leavers: readonly Leaver[],
): Promise<void> {
  await run.pair.call(name, leaveGroupApi, version, (at) => ({
    groupId: group,
    ...(version < FIRST_VERSION_WITH_SEVERAL
      ? { memberId: at.pick(leavers[0]?.memberId ?? same("")) }
      : {
          members: leavers.map(({ memberId, instanceId }) => ({
            memberId: at.pick(memberId),
            groupInstanceId: instanceId ?? null,
            ...(version < FIRST_VERSION_WITH_REASON ? {} : { reason: "because" }),
          })),
        }),
  }));
}
