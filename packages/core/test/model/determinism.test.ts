import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { perform } from "./check-runs.ts";
import { commands, worldOptions } from "./commands.ts";

const RUNS = 6;
const COMMANDS = 25;

test("one seed gives one run: what happens, when, and how often", async () => {
  // Drawn twice: what a command remembers of one run would show in the other.
  const draw = (): ReturnType<typeof drawRuns> => drawRuns();
  const [first, second] = [draw(), draw()];
  const traces = new Set<string>();
  for (const [i, { options, sequence }] of first.entries()) {
    const again = second[i];
    assert.ok(again !== undefined);
    const trace = (await perform(options, sequence)).world.trace;
    assert.equal(
      (await perform(again.options, again.sequence)).world.trace,
      trace,
      `seed ${options.seed}`,
    );
    traces.add(trace);
  }
  assert.equal(traces.size, RUNS);
});

function drawRuns() {
  const run = fc.record({
    options: worldOptions,
    sequence: fc.array(fc.oneof(...commands), { minLength: COMMANDS, maxLength: COMMANDS }),
  });
  return fc.sample(run, { seed: 1, numRuns: RUNS });
}
