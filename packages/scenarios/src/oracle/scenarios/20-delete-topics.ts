import { deleteTopicsApi, ZERO_UUID } from "@karst/kafka-protocol";
import type { Side } from "../pair.ts";
import type { Run, Scenario } from "../scenario.ts";

const STRANGE_ID = "0123456789abcdef0123456789abcdef";
const FIRST_VERSION_WITH_IDS = 6;

/** A topic, by name or by id. */
type Wanted =
  | { readonly tag: "name"; readonly name: string }
  | { readonly tag: "id of"; readonly name: string }
  | { readonly tag: "exactly"; readonly name: string | null; readonly topicId: string };

export const deleteTopics: Scenario = {
  apiKey: 20,
  run: async (run) => {
    for (const version of run.versions) {
      await remove(run, version, "nothing", []);
      for (const name of ["missing", "", "a b", ".", "x".repeat(250)])
        await remove(run, version, `unknown name of ${name.length}`, [{ tag: "name", name }]);
      await remove(run, version, "unknown twice", [
        { tag: "name", name: "missing" },
        { tag: "name", name: "missing" },
      ]);
      const [a, b, c] = [await run.topic(), await run.topic({ partitions: 3 }), await run.topic()];
      await remove(run, version, "existing twice", [
        { tag: "name", name: a },
        { tag: "name", name: a },
      ]);
      await remove(run, version, "existing", [{ tag: "name", name: a }]);
      await run.untilUnknown(a);
      await remove(run, version, "deleted", [{ tag: "name", name: a }]);
      await remove(run, version, "two and an unknown one", [
        { tag: "name", name: b },
        { tag: "name", name: "missing" },
        { tag: "name", name: c },
      ]);
      if (version >= FIRST_VERSION_WITH_IDS) await byId(run, version);
    }
    await run.fill(async (version) => {
      const exists = run.random.fraction() < 0.3 ? [await run.topic()] : [];
      const names = Array.from({ length: run.random.integer(0, 4) }, () =>
        run.one(["missing", "also-missing", "", "..", "é", "dot.ted", "x".repeat(249)]),
      );
      const wanted = [...exists, ...names].map((name) => ({ tag: "name", name }) as const);
      await remove(run, version, "generated", wanted);
    });
  },
};

async function byId(run: Run, version: number): Promise<void> {
  for (let times = 0; times < 3; times += 1) {
    const [a, b] = [await run.topic(), await run.topic()];
    await remove(run, version, "id", [{ tag: "id of", name: a }]);
    await run.untilUnknown(a);
    await remove(run, version, "id of a deleted one", [{ tag: "id of", name: a }]);
    await remove(run, version, "id and name of one", [
      { tag: "id of", name: b },
      { tag: "name", name: b },
    ]);
    await remove(run, version, "id twice", [
      { tag: "id of", name: b },
      { tag: "id of", name: b },
    ]);
    await remove(run, version, "unknown id", [{ tag: "exactly", name: null, topicId: STRANGE_ID }]);
    await remove(run, version, "unknown id twice", [
      { tag: "exactly", name: null, topicId: STRANGE_ID },
      { tag: "exactly", name: null, topicId: STRANGE_ID },
    ]);
    await remove(run, version, "no name, no id", [
      { tag: "exactly", name: null, topicId: ZERO_UUID },
    ]);
    await remove(run, version, "name and id", [{ tag: "exactly", name: b, topicId: STRANGE_ID }]);
  }
}

async function remove(
  run: Run,
  version: number,
  name: string,
  wanted: readonly Wanted[],
): Promise<void> {
  const entry = (
    each: Wanted,
    at: Side,
  ): { readonly name: string | null; readonly topicId: string } => {
    switch (each.tag) {
      case "name":
        return { name: each.name, topicId: ZERO_UUID };
      case "id of":
        return { name: null, topicId: at.identities.topicId(each.name) };
      case "exactly":
        return { name: each.name, topicId: each.topicId };
    }
  };
  await run.pair.call(name, deleteTopicsApi, version, (at) =>
    version >= FIRST_VERSION_WITH_IDS
      ? { topics: wanted.map((each) => entry(each, at)), timeoutMs: 10_000 }
      : { topicNames: wanted.map((each) => each.name ?? ""), timeoutMs: 10_000 },
  );
}
