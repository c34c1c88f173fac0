import assert from "node:assert/strict";
import { type Family, logFamily, Sometimes, steadyFamily } from "@karst/testing";
import { test } from "vitest";

const runs = Number(process.env["KARST_RUNS"] ?? 1);

/** Plays seeds from 1 on, and checks that between them they were everywhere. */
async function play(family: Family, seeds: number): Promise<void> {
  const sometimes = new Sometimes();
  for (let seed = 1; seed <= seeds; seed += 1) sometimes.addAll((await family.run(seed)).sometimes);
  assert.deepEqual(sometimes.missing(family.labels), [], `met: ${sometimes.toString()}`);
}

test("an engine is an array that survives crashes, faults and zombies", async () => {
  await play(logFamily, 100 * runs);
});

test("an engine keeps up a steady load, whatever happens", async () => {
  await play(steadyFamily, 2 * runs);
});

test("one seed gives one run: what happens, when, and how often", async () => {
  const traces = new Set<string>();
  for (let seed = 1; seed <= 8; seed += 1) {
    const { trace } = await logFamily.run(seed);
    assert.equal((await logFamily.run(seed)).trace, trace, `seed ${seed}`);
    traces.add(trace);
  }
  assert.equal(traces.size, 8);
});
