import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { CrashWorld, crossed } from "./crash-world.ts";

const RUNS = Number(process.env["KARST_RUNS"] ?? 150);

type Action =
  | { readonly do: "append"; readonly bytes: number; readonly times: number }
  | { readonly do: "work"; readonly rounds: number }
  | { readonly do: "flush" }
  | { readonly do: "turn" }
  | { readonly do: "advance"; readonly ms: number }
  | { readonly do: "trim"; readonly fraction: number }
  | { readonly do: "doom"; readonly operations: number }
  | { readonly do: "end"; readonly lose: "nothing" | "random" | "synced" }
  | { readonly do: "reopen" }
  | { readonly do: "usurp" }
  | {
      readonly do: "fail";
      readonly on: "datasync" | "write" | "rename" | "syncDirectory";
      readonly after: number;
      readonly lost: boolean;
    }
  | { readonly do: "shorten" }
  | { readonly do: "full"; readonly full: boolean };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      bytes: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 5000 })),
      times: fc.integer({ min: 1, max: 8 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("work" as const),
      rounds: fc.integer({ min: 1, max: 12 }),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ do: "flush" as const }) },
  { weight: 3, arbitrary: fc.constant({ do: "turn" as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("advance" as const),
      ms: fc.integer({ min: 1, max: 6000 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("trim" as const),
      fraction: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("doom" as const),
      operations: fc.integer({ min: 0, max: 60 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("end" as const),
      lose: fc.constantFrom("nothing" as const, "random" as const, "synced" as const),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "reopen" as const }) },
  { weight: 2, arbitrary: fc.constant({ do: "usurp" as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("fail" as const),
      on: fc.constantFrom(
        "datasync" as const,
        "write" as const,
        "rename" as const,
        "syncDirectory" as const,
      ),
      after: fc.integer({ min: 0, max: 8 }),
      lost: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "shorten" as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("full" as const), full: fc.boolean() }) },
);

async function perform(world: CrashWorld, step: Action): Promise<void> {
  switch (step.do) {
    case "append":
      for (let n = 0; n < step.times; n += 1) {
        world.append(step.bytes);
        // Some of it goes out meanwhile.
        if (n % 3 === 2) await world.turn();
      }
      return;
    case "work":
      // As an owner does that uploads all the time: segments are filled, trimmed, and used again.
      for (let n = 0; n < step.rounds; n += 1) {
        for (const bytes of [10, 300, 500]) world.append(bytes);
        await world.flush();
        await world.trimTo(1);
      }
      return;
    case "flush":
      await world.flush();
      return;
    case "turn":
      await world.turn();
      return;
    case "advance":
      await world.runtime.clock.advance(step.ms);
      return;
    case "trim":
      await world.trimTo(step.fraction);
      return;
    case "doom":
      world.doom(step.operations);
      return;
    case "end":
      await world.end(step.lose);
      await open(world);
      return;
    case "reopen":
      if (world.disk.onOperation === undefined) await world.close();
      else await world.end("nothing");
      await open(world);
      return;
    case "usurp":
      if (!(await world.usurp())) await openAfterAll(world);
      return;
    case "fail":
      world.disk.fault({
        on: step.on,
        effect: step.on === "datasync" && step.lost ? "lost-sync" : "EIO",
        after: step.after,
      });
      return;
    case "shorten":
      world.disk.fault({ on: "write", effect: "short-write", times: 5 });
      return;
    case "full":
      world.disk.capacityBytes = step.full ? 0 : Infinity;
  }
}

/** A doomed or full world may refuse to open: then it ends and is opened in peace. */
async function open(world: CrashWorld): Promise<void> {
  if (!(await world.open())) await openAfterAll(world);
}

async function openAfterAll(world: CrashWorld): Promise<void> {
  await world.end("random");
  world.disk.capacityBytes = Infinity;
  assert.ok(await world.open(), `an unharmed world opens: ${String(world.lastError)}`);
}

test("whatever happens, an opening finds a prefix that holds everything that was reported durable", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.array(action, { minLength: 5, maxLength: 70 }),
      async (seed, actions) => {
        const world = new CrashWorld(seed);
        assert.ok(await world.open());
        for (const step of actions) await perform(world, step);
        await world.end("random");
        world.disk.capacityBytes = Infinity;
        assert.ok(await world.open(), `an unharmed world opens: ${String(world.lastError)}`);
        await world.close();
      },
    ),
    { numRuns: RUNS },
  );
  for (const [name, count] of Object.entries(crossed))
    assert.ok(count > 0, `no run crossed: ${name}`);
});

test("openings that are cut short at every operation, several in a row, change nothing", async () => {
  const world = new CrashWorld(7);
  assert.ok(await world.open());
  let opened = 0;
  for (let operations = 0; opened < 20; operations += 1) {
    for (let n = 0; n < 6; n += 1) world.append(30 + n * 40);
    if (operations % 2 === 0) await world.flush();
    world.append(77);
    if (operations % 3 === 0) await world.turn();
    await world.end(operations % 5 === 0 ? "nothing" : "random");
    // One that ends a little earlier leaves the next one something to find, and to leave behind.
    for (const part of [operations - (operations % 24), operations, operations / 2]) {
      world.doom(Math.floor(part));
      if ((await world.open()) && part === operations) opened += 1;
      await world.end(operations % 2 === 0 ? "random" : "nothing");
    }
    assert.ok(await world.open());
    if (operations % 10 === 9) await world.trimTo(0.9);
    assert.ok(operations < 2000, "an opening comes to an end");
  }
  await world.close();
});
