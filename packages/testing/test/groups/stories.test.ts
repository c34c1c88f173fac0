import assert from "node:assert/strict";
import { test } from "vitest";
import { groupsFamily } from "../../src/groups/family.ts";
import { Sometimes } from "../../src/world/sometimes.ts";

const runs = Number(process.env["KARST_RUNS"] ?? 1);
const SEEDS = 8;
/** Runs from which on every label must have been met. */
const RUNS_EVERYWHERE = 45;
/** Played again. */
const TWICE: readonly number[] = [3, 8];

test(
  "groups keep what was committed, skip nothing, and give each partition to one member, whatever happens to the broker and to members",
  async () => {
    const sometimes = new Sometimes();
    const traces = new Map<number, string>();
    for (let seed = 1; seed <= SEEDS * runs; seed += 1) {
      const result = await groupsFamily.run(seed);
      sometimes.addAll(result.sometimes);
      traces.set(seed, result.trace);
    }
    if (runs >= RUNS_EVERYWHERE)
      assert.deepEqual(sometimes.missing(groupsFamily.labels), [], `met: ${sometimes.toString()}`);
    // One seed gives one run.
    for (const seed of TWICE)
      assert.equal((await groupsFamily.run(seed)).trace, traces.get(seed), `seed ${seed}`);
    assert.equal(new Set(traces.values()).size, traces.size);
  },
  120_000 * runs,
);
