import assert from "node:assert/strict";
import { test } from "vitest";
import { kafkaFamily } from "../../src/kafka/family.ts";
import { Sometimes } from "../../src/world/sometimes.ts";

const runs = Number(process.env["KARST_RUNS"] ?? 1);
const SEEDS = 12;
/** Runs from which on every label must have been met. */
const RUNS_EVERYWHERE = 12;
/** Played again. */
const TWICE: readonly number[] = [3, 12];

test(
  "a broker keeps what it acknowledged, once and in order, whatever happens to it and its clients",
  async () => {
    const sometimes = new Sometimes();
    const traces = new Map<number, string>();
    for (let seed = 1; seed <= SEEDS * runs; seed += 1) {
      const result = await kafkaFamily.run(seed);
      sometimes.addAll(result.sometimes);
      traces.set(seed, result.trace);
    }
    if (runs >= RUNS_EVERYWHERE)
      assert.deepEqual(sometimes.missing(kafkaFamily.labels), [], `met: ${sometimes.toString()}`);
    // One seed gives one run.
    for (const seed of TWICE)
      assert.equal((await kafkaFamily.run(seed)).trace, traces.get(seed), `seed ${seed}`);
    assert.equal(new Set(traces.values()).size, traces.size);
  },
  60_000 * runs,
);
