import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { StateWorld } from "./world.ts";

const numRuns = Number(process.env["KARST_RUNS"] ?? 25);

type Step =
  | { readonly tag: "write"; readonly changes: Readonly<Record<string, string | undefined>> }
  | { readonly tag: "await" }
  | { readonly tag: "turns"; readonly count: number }
  | { readonly tag: "crash" }
  | { readonly tag: "restart" }
  | { readonly tag: "upload" };

const key = fc.constantFrom("a", "b", "c", "d", "e", "f");
const value = fc.option(
  fc.integer({ min: 0, max: 300 }).map((length) => `${length}`.padEnd(length, "v")),
  { nil: undefined, freq: 4 },
);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        tag: fc.constant("write" as const),
        changes: fc.dictionary(key, value, { minKeys: 1, maxKeys: 4 }),
      }),
    },
    { weight: 3, arbitrary: fc.constant<Step>({ tag: "await" }) },
    {
      weight: 4,
      arbitrary: fc.record({
        tag: fc.constant("turns" as const),
        count: fc.integer({ min: 1, max: 12 }),
      }),
    },
    { weight: 2, arbitrary: fc.constant<Step>({ tag: "crash" }) },
    { weight: 1, arbitrary: fc.constant<Step>({ tag: "restart" }) },
    { weight: 1, arbitrary: fc.constant<Step>({ tag: "upload" }) },
  ),
  { minLength: 20, maxLength: 80 },
);

type Content = ReadonlyMap<string, string>;

function changed(content: Content, changes: Readonly<Record<string, string | undefined>>): Content {
  const next = new Map(content);
  for (const [name, text] of Object.entries(changes)) {
    if (text === undefined) next.delete(name);
    else next.set(name, text);
  }
  return next;
}

const sorted = (content: Content): unknown => [...content].toSorted(([a], [b]) => (a < b ? -1 : 1));

test("after any crashes the state is that after a prefix of the writes, with every acknowledged one", async () => {
  let trims = 0;
  await fc.assert(
    fc.asyncProperty(steps, fc.integer(), async (list, seed) => {
      const world = await StateWorld.open(seed);
      // What may be there after a crash: after the last acknowledged write, and after each that follows.
      let possible: Content[] = [new Map()];
      let acknowledged = 0;
      let written = 0;
      const latest = (): Content => possible.at(-1) ?? new Map();
      const acknowledge = (number: number): void => {
        possible = possible.slice(Math.max(0, number - acknowledged));
        acknowledged = Math.max(acknowledged, number);
      };
      const reopened = (): void => {
        const found = possible.findIndex(
          (content) => JSON.stringify(sorted(content)) === JSON.stringify(sorted(world.content)),
        );
        assert(found >= 0, "the state is that after no prefix");
        possible = [world.content];
        written = acknowledged = 0;
      };
      for (const step of list) {
        switch (step.tag) {
          case "write": {
            const number = (written += 1);
            const life = world.state;
            possible.push(changed(latest(), step.changes));
            world.write(step.changes).then(
              () => world.state === life && acknowledge(number),
              () => undefined,
            );
            break;
          }
          case "await":
            await world.state.durable;
            await world.world.turns(1);
            assert.equal(possible.length, 1, "all that was written is acknowledged");
            break;
          case "turns":
            await world.world.turns(step.count);
            break;
          case "upload":
            await world.engine.upload();
            break;
          case "crash":
            await world.crash();
            reopened();
            break;
          case "restart":
            await world.restart();
            reopened();
            assert.deepEqual(sorted(world.content), sorted(latest()));
            break;
        }
        assert.deepEqual(sorted(world.content), sorted(latest()));
        trims += world.world.runtime.log.of("state-snapshot").length;
      }
      await world.close();
    }),
    { numRuns },
  );
  assert(trims > 0, "no run met a snapshot");
});
