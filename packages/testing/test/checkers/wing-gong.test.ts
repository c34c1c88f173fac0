import assert from "node:assert/strict";
import { SeededRandom } from "@karst/runtime/testing";
import { test } from "vitest";
import type { LogOperation } from "../../src/checkers/history.ts";
import { checkLog } from "../../src/checkers/log-linearizability.ts";
import { searchLog } from "../../src/checkers/wing-gong.ts";
import { mutateLog } from "./mutate-log.ts";
import { SimulatedLog } from "./simulated-log.ts";

const RUNS = Number(process.env["KARST_RUNS"] ?? 3_000);

test("the checker and the exhaustive search agree", () => {
  const counts = { right: 0, wrong: 0, undecided: 0 };
  for (let seed = 0; seed < RUNS; seed += 1) {
    const random = new SeededRandom(`mutate ${seed}`);
    let operations: readonly LogOperation[] = new SimulatedLog({
      seed: `agree ${seed}`,
      processes: 1 + (seed % 4),
      operations: 4 + (seed % 27),
      trims: seed % 3 === 0,
      conditions: seed % 2 === 0,
      countMax: 1 + (seed % 2),
      unknownPercent: seed % 25,
      finalRead: seed % 4 === 0,
    }).run().operations;
    for (let mutations = seed % 4; mutations > 0; mutations -= 1)
      operations = mutateLog(operations, random);
    const found = searchLog(operations);
    assert.ok(found !== undefined, `seed ${seed}: the search gave up`);
    const verdict = checkLog(operations);
    const linearizable = verdict.tag === "linearizable";
    if (!found && linearizable && !verdict.exact) {
      // It says itself that it is not sure. Of a right history it is never in doubt.
      counts.undecided += 1;
      continue;
    }
    counts[found ? "right" : "wrong"] += 1;
    assert.equal(linearizable, found, describe(seed, operations, verdict));
  }
  assert.ok(counts.right >= RUNS / 3 && counts.wrong >= RUNS / 3, JSON.stringify(counts));
  assert.ok(counts.undecided <= RUNS / 50, JSON.stringify(counts));
});

test("they agree on histories as long as the search can bear", () => {
  for (let seed = 0; seed < RUNS / 100; seed += 1) {
    const { operations } = new SimulatedLog({
      seed: `long ${seed}`,
      processes: 3,
      operations: 190,
      trims: seed % 2 === 0,
      conditions: true,
      unknownPercent: 2,
      finalRead: true,
    }).run();
    const random = new SeededRandom(`mutate long ${seed}`);
    const mutated = seed % 3 === 0 ? operations : mutateLog(operations, random);
    const found = searchLog(mutated);
    assert.ok(found !== undefined, `seed ${seed}: the search gave up`);
    const verdict = checkLog(mutated);
    if (!found && verdict.tag === "linearizable" && !verdict.exact) continue;
    assert.equal(verdict.tag === "linearizable", found, describe(seed, mutated, verdict));
  }
});

test("the search knows right from wrong by itself", () => {
  const append = (content: number, invokedAt: number, baseOffset: number): LogOperation => ({
    kind: "append",
    process: 1,
    invokedAt,
    returnedAt: invokedAt + 1,
    content,
    count: 1,
    outcome: { tag: "ok", baseOffset, endOffset: baseOffset + 1 },
  });
  const tail = (invokedAt: number, offset: number): LogOperation => ({
    kind: "tail",
    process: 2,
    invokedAt,
    returnedAt: invokedAt + 1,
    tail: offset,
  });
  assert.equal(searchLog([append(1, 1, 0), append(2, 3, 1), tail(5, 2)]), true);
  assert.equal(searchLog([append(1, 1, 0), append(2, 3, 1), tail(5, 1)]), false);
  assert.equal(searchLog([append(1, 1, 1), append(2, 3, 0)]), false);
  // Concurrent: either order.
  assert.equal(searchLog([append(1, 1, 1), append(2, 1.5, 0), tail(2, 1)]), true);
  assert.equal(searchLog([tail(1, 1)]), false);
});

function describe(seed: number, operations: readonly LogOperation[], verdict: unknown): string {
  const lines = operations.map((one) => JSON.stringify(one)).join("\n");
  return `seed ${seed}: ${JSON.stringify(verdict)}\n${lines}`;
}
