import { deleteGroupsApi } from "@karst/kafka-protocol";
import { commitSimply, groupPhases, leave } from "../group-phases.ts";
import { stableGroup } from "../members.ts";
import type { Run, Scenario } from "../scenario.ts";

export const deleteGroups: Scenario = {
  apiKey: 42,
  run: async (run) => {
    const topic = await run.topic({ partitions: 2 });
    const phases = await groupPhases(run, topic);
    const { stable, fixed, pending, completing, preparing, other, deleted } = phases;
    for (const version of run.versions) {
      await remove(run, version, "nothing", []);
      for (const group of ["missing", "", "a b", deleted])
        await remove(run, version, `unknown of ${group.length}`, [group]);
      await remove(run, version, "unknown twice", ["missing", "missing"]);
      for (const group of [stable.group, fixed, completing, preparing, other])
        await remove(run, version, "with members", [group]);
      await remove(run, version, "with members, twice", [stable.group, stable.group]);
      const empty = await stableGroup(run);
      await leave(run.pair, empty);
      await remove(run, version, "empty", [empty.group]);
      await remove(run, version, "deleted", [empty.group]);
      const simple = await committed(run, topic);
      await remove(run, version, "simple", [simple]);
      await commitSimply(run.pair, simple, topic);
      await remove(run, version, "made again", [simple]);
      const twice = await committed(run, topic);
      await remove(run, version, "twice", [twice, twice]);
      const [a, b] = [await committed(run, topic), await committed(run, topic)];
      await remove(run, version, "several", [a, "missing", stable.group, "", b]);
    }
    await remove(run, run.versionMax, "an id is given out, nobody has joined", [pending]);
    await run.fill(async (version) => {
      const fresh = run.random.fraction() < 0.3 ? [await committed(run, topic)] : [];
      const groups = Array.from({ length: run.random.integer(0, 3) }, () =>
        run.one([stable.group, "missing", "", deleted]),
      );
      await remove(run, version, "generated", [...new Set([...fresh, ...groups])]);
    });
  },
};

async function committed(run: Run, topic: string): Promise<string> {
  const group = run.name("simple");
  await commitSimply(run.pair, group, topic);
  return group;
}

async function remove(
  run: Run,
  version: number,
  name: string,
  groupsNames: readonly string[],
): Promise<void> {
  await run.pair.call(name, deleteGroupsApi, version, { groupsNames });
}
