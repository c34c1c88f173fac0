import assert from "node:assert/strict";
import { Sometimes } from "@karst/testing";
import { test } from "vitest";
import { clusterFamily } from "../../src/cluster/family.ts";

const runs = Number(process.env["KARST_RUNS"] ?? 1);
const SEEDS = 30;

test("several nodes over one root lose nothing, and agree on everything", async () => {
  const sometimes = new Sometimes();
  for (let seed = 1; seed <= SEEDS * runs; seed += 1)
    sometimes.addAll((await clusterFamily.run(seed)).sometimes);
  // What is rarer than that needs more seeds.
  if (runs >= 5)
    assert.deepEqual(sometimes.missing(clusterFamily.labels), [], `met: ${sometimes.toString()}`);
});

test("one seed gives one run: what happens, when, and how often", async () => {
  const traces = new Set<string>();
  for (let seed = 1; seed <= 6; seed += 1) {
    const { trace } = await clusterFamily.run(seed);
    assert.equal((await clusterFamily.run(seed)).trace, trace, `seed ${seed}`);
    traces.add(trace);
  }
  assert.equal(traces.size, 6);
});
