import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { LogWorld } from "./support/log-world.ts";
import { keysOf } from "./support/shared-root.ts";

// A fixed seed unless one is given, so that what the runs cross does not depend on luck.
const numRuns = Number(process.env["KARST_RUNS"] ?? 35);
const seed = Number(process.env["KARST_SEED"] ?? 7);

const rate = (max: number): fc.Arbitrary<number> =>
  fc.oneof(fc.constant(0), fc.double({ min: 0, max, noNaN: true }));

const options = fc.record(
  {
    seed: fc.nat(),
    instances: fc.integer({ min: 1, max: 4 }),
    commits: fc.integer({ min: 5, max: 25 }),
    rates: fc.record({
      unavailable: rate(0.15),
      "lost-answer": rate(0.15),
      "lost-request": rate(0.1),
      "late-effect": rate(0.1),
      "stale-list": rate(0.5),
      "flipped-bit": rate(0.02),
      truncated: rate(0.02),
    }),
    filler: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
    pauseRate: rate(0.1),
    killRate: rate(0.1),
    limits: fc.record({
      snapshotEntriesMin: fc.constantFrom(1, 2, 5),
      snapshotEntriesMax: fc.constantFrom(2, 6, 1_000),
      snapshotEveryEntries: fc.constantFrom(1, 2, 3),
      chunkBytes: fc.constantFrom(64, 200, 4_096),
      recentTransactionsMax: fc.constantFrom(2, 8, 4_096),
      watchHistoryMax: fc.constantFrom(1, 4, 1_000),
      readAheadMax: fc.constantFrom(1, 2, 32),
      entryTransactionsMax: fc.constantFrom(1, 2, 1_000),
      sliceRows: fc.constantFrom(1, 1_000),
    }),
  },
  { noNullPrototype: true },
);

test("whatever the store does, the history is serial and every outcome is true of it", async () => {
  const crossed: Record<string, number> = {};
  const count = (name: string, amount: number): void => {
    crossed[name] = (crossed[name] ?? 0) + amount;
  };
  await fc.assert(
    fc.asyncProperty(options, async (drawn) => {
      const world = new LogWorld(drawn);
      await world.run();
      await Promise.all(world.watches);
      for (const [name, value] of Object.entries(world.runtime.metrics.values()))
        count(name, value);
      count("dead slots", world.history.dead);
      count("unknown and happened", world.unknown.happened);
      count("unknown and not happened", world.unknown.all - world.unknown.happened);
    }),
    { numRuns, seed, endOnFailure: process.env["KARST_SHRINK"] === undefined },
  );
  if (process.env["KARST_PRINT"] !== undefined) console.log(crossed);
  for (const name of [
    "karst_catalogue_conflicting_transactions",
    "karst_catalogue_lost_slots",
    "karst_catalogue_doubtful_slots",
    "karst_catalogue_written_snapshots",
    "karst_catalogue_lost_snapshots",
    "karst_catalogue_loaded_snapshots",
    "karst_catalogue_reused_chunks",
    "karst_catalogue_deleted_objects",
    "dead slots",
    "unknown and happened",
    "unknown and not happened",
  ]) {
    assert((crossed[name] ?? 0) > 0, `the runs never crossed: ${name}`);
  }
}, 1_800_000);

test("one seed gives one history", async () => {
  const [drawn] = fc.sample(options, { numRuns: 1, seed: 11 });
  assert(drawn !== undefined);
  const run = async (): Promise<unknown> => {
    const world = new LogWorld({ ...drawn, instances: 3, pauseRate: 0.05, killRate: 0.05 });
    await world.run();
    return {
      revision: world.history.revision,
      metrics: world.runtime.metrics.values(),
      keys: await keysOf(world.bucket, ""),
    };
  };
  assert.deepEqual(await run(), await run());
});
