import { listGroupsApi } from "@karst/kafka-protocol";
import { groupPhases } from "../group-phases.ts";
import { type Run, type Scenario, since } from "../scenario.ts";

const FIRST_VERSION_WITH_STATES = 4;
const FIRST_VERSION_WITH_TYPES = 5;
const STATES = [
  "Stable",
  "stable",
  "Empty",
  "Dead",
  "PreparingRebalance",
  "CompletingRebalance",
  "preparingrebalance",
  "Assigning",
  "Reconciling",
  "Unknown",
  "none",
  "",
];
const TYPES = ["classic", "Classic", "consumer", "share", "streams", "unknown", "none", ""];

export const listGroups: Scenario = {
  apiKey: 16,
  run: async (run) => {
    for (const version of run.versions) await ask(run, version, "before others come", [], []);
    await groupPhases(run, await run.topic({ partitions: 2 }));
    for (const version of run.versions) {
      await ask(run, version, "all", [], []);
      if (version >= FIRST_VERSION_WITH_STATES) {
        for (const state of STATES) await ask(run, version, `state ${state}`, [state], []);
        await ask(run, version, "two states", ["Stable", "Empty"], []);
        await ask(run, version, "a state twice", ["Stable", "Stable"], []);
        await ask(run, version, "a state and none", ["Stable", "none"], []);
      }
      if (version >= FIRST_VERSION_WITH_TYPES) {
        for (const type of TYPES) await ask(run, version, `type ${type}`, [], [type]);
        await ask(run, version, "two types", [], ["consumer", "classic"]);
        await ask(run, version, "a type twice", [], ["classic", "classic"]);
      }
    }
    await run.fill(async (version) => {
      const some = (of: readonly string[]): readonly string[] =>
        of.filter(() => run.random.fraction() < 0.2);
      const states = version >= FIRST_VERSION_WITH_STATES ? some(STATES) : [];
      const types = version >= FIRST_VERSION_WITH_TYPES ? some(TYPES) : [];
      await ask(run, version, "generated", states, types);
    });
  },
};

async function ask(
  run: Run,
  version: number,
  name: string,
  statesFilter: readonly string[],
  typesFilter: readonly string[],
): Promise<void> {
  await run.pair.call(name, listGroupsApi, version, {
    ...since(version, FIRST_VERSION_WITH_STATES, { statesFilter }),
    ...since(version, FIRST_VERSION_WITH_TYPES, { typesFilter }),
  });
}
