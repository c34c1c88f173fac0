import { metadataApi, ZERO_UUID } from "@karst/kafka-protocol";
import type { Side } from "../pair.ts";
import { type Run, type Scenario, since } from "../scenario.ts";

const STRANGE_ID = "0123456789abcdef0123456789abcdef";
const BAD_NAMES = ["", ".", "..", "a b", "é", "x".repeat(250)];

type Wanted = { readonly name: string } | { readonly idOf: string } | { readonly id: string };

export const metadata: Scenario = {
  apiKey: 3,
  run: async (run) => {
    const one = await run.topic();
    const three = await run.topic({ partitions: 3 });
    for (const version of run.versions) {
      const ask = (name: string, wanted: readonly Wanted[], create = false): Promise<void> =>
        describe(run, version, name, wanted, create);
      await ask("no topics", []);
      await ask("a topic", [{ name: one }]);
      await ask("two topics", [{ name: three }, { name: one }]);
      await ask("a topic twice", [{ name: one }, { name: one }]);
      if (version >= 4) {
        await ask("an unknown topic", [{ name: "missing" }]);
        await ask("an unknown topic twice", [{ name: "missing" }, { name: "missing" }]);
        await ask("known and unknown", [{ name: "missing" }, { name: one }]);
      }
      for (const name of BAD_NAMES) {
        if (version >= 4) await ask(`a bad name of ${name.length}`, [{ name }]);
        await ask(`a bad name of ${name.length}, to be made`, [{ name }], true);
      }
      const fresh = run.name("auto");
      await ask("a topic to be made", [{ name: fresh }], true);
      await run.untilKnown(fresh, 1);
      await ask("a topic that was made so", [{ name: fresh }]);
      if (version >= 1)
        await run.pair.call("all topics", metadataApi, version, {
          topics: null,
          ...since(version, 4, { allowAutoTopicCreation: true }),
        });
      if (version >= 12) {
        await ask("by id", [{ idOf: one }]);
        await ask("two by id", [{ idOf: one }, { idOf: three }]);
        await ask("an unknown id", [{ id: STRANGE_ID }]);
        await ask("the zero id", [{ id: ZERO_UUID }]);
        await ask("by id and by name", [{ idOf: one }, { name: three }]);
        await run.pair.call("an id and a name", metadataApi, version, (at: Side) => ({
          topics: [{ name: three, topicId: at.identities.topicId(one) }],
        }));
      }
      if (version >= 8) {
        for (const cluster of [false, true]) {
          await run.pair.call("authorized operations", metadataApi, version, {
            topics: [{ name: one }],
            includeTopicAuthorizedOperations: true,
            ...(version <= 10 ? { includeClusterAuthorizedOperations: cluster } : {}),
          });
        }
      }
    }
    await run.fill(async (version) => {
      const names = [one, three, "missing", ...BAD_NAMES, "dot.ted", "dot_ted"];
      const wanted = Array.from({ length: run.random.integer(1, 5) }, () => ({
        name: run.one(version >= 4 ? names : [one, three]),
      }));
      await describe(run, version, "generated", wanted, false);
    });
  },
};

async function describe(
  run: Run,
  version: number,
  name: string,
  wanted: readonly Wanted[],
  create: boolean,
): Promise<void> {
  await run.pair.call(name, metadataApi, version, (at: Side) => ({
    topics: wanted.map((each) => {
      if ("name" in each) return { name: each.name };
      return { name: null, topicId: "id" in each ? each.id : at.identities.topicId(each.idOf) };
    }),
    ...since(version, 4, { allowAutoTopicCreation: create }),
  }));
}
