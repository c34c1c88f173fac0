import { findCoordinatorApi } from "@karst/kafka-protocol";
import { stableGroup } from "../members.ts";
import type { Run, Scenario } from "../scenario.ts";

const FIRST_VERSION_WITH_TYPE = 1;
const FIRST_VERSION_WITH_SEVERAL = 4;
const KEYS = ["a", "group", "a b", "é", "x".repeat(300), "", "-"];
const KEY_TYPES = [0, 1, 2, 3, -1, 127];

export const findCoordinator: Scenario = {
  apiKey: 10,
  run: async (run) => {
    // Kafka makes its topics when the first group and the first transaction ask for them.
    await stableGroup(run);
    for (const version of run.versions) {
      for (const key of KEYS) await ask(run, version, `a key of ${key.length}`, [key], 0);
      if (version < FIRST_VERSION_WITH_TYPE) continue;
      for (const type of KEY_TYPES) {
        await ask(run, version, `type ${type}`, ["a"], type);
        await ask(run, version, `type ${type}, empty key`, [""], type);
      }
      if (version < FIRST_VERSION_WITH_SEVERAL) continue;
      await ask(run, version, "no keys", [], 0);
      await ask(run, version, "three keys", ["a", "b", "c"], 0);
      await ask(run, version, "a key twice", ["a", "a"], 0);
      await ask(run, version, "an empty one among them", ["a", ""], 0);
    }
    await run.fill(async (version) => {
      const count = version < FIRST_VERSION_WITH_SEVERAL ? 1 : run.random.integer(0, 4);
      const keys = Array.from({ length: count }, (_, i) => `${run.one(KEYS)}${i}`);
      await ask(run, version, "generated", keys, 0);
    });
  },
};

async function ask(
  run: Run,
  version: number,
  name: string,
  keys: readonly string[],
  keyType: number,
): Promise<void> {
  await run.pair.call(name, findCoordinatorApi, version, {
    ...(version < FIRST_VERSION_WITH_SEVERAL ? { key: keys[0] ?? "" } : { coordinatorKeys: keys }),
    ...(version < FIRST_VERSION_WITH_TYPE ? {} : { keyType }),
  });
}
