import { describeGroupsApi } from "@karst/kafka-protocol";
import { type GroupPhases, groupPhases } from "../group-phases.ts";
import { type Run, type Scenario, since } from "../scenario.ts";

const FIRST_VERSION_WITH_OPERATIONS = 3;

export const describeGroups: Scenario = {
  apiKey: 15,
  run: async (run) => {
    const phases = await groupPhases(run, await run.topic({ partitions: 2 }));
    const { completingAgain, ...known } = idsOf(phases);
    for (const version of run.versions) {
      await ask(run, version, "nothing", []);
      for (const [phase, group] of Object.entries(known)) await ask(run, version, phase, [group]);
      await ask(run, version, "completing again", [completingAgain]);
      for (const group of ["missing", "", "a b"])
        await ask(run, version, `unknown of ${group.length}`, [group]);
      await ask(run, version, "all", Object.values(known));
      await ask(run, version, "a group twice", [known.stable, known.stable]);
      await ask(run, version, "known and unknown", ["missing", known.stable, ""]);
      if (version < FIRST_VERSION_WITH_OPERATIONS) continue;
      for (const group of [known.stable, known.simple, "missing"])
        await ask(run, version, "with operations", [group], true);
    }
    await run.fill(async (version) => {
      const groups = Array.from({ length: run.random.integer(0, 4) }, () =>
        run.one([...Object.values(known), "missing", ""]),
      );
      await ask(run, version, "generated", groups);
    });
  },
};

function idsOf({ stable, ...others }: GroupPhases): Record<keyof GroupPhases, string> {
  return { stable: stable.group, ...others };
}

async function ask(
  run: Run,
  version: number,
  name: string,
  groups: readonly string[],
  includeAuthorizedOperations = false,
): Promise<void> {
  await run.pair.call(name, describeGroupsApi, version, {
    groups,
    ...since(version, FIRST_VERSION_WITH_OPERATIONS, { includeAuthorizedOperations }),
  });
}
