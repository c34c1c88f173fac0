import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "vitest";
import { COMPATIBILITY_PAGE, compatibilityPageOf } from "../src/clients/page.ts";
import { type ProofRow, totalsOf } from "../src/proof/ledger.ts";
import { PAGE, pageOf } from "../src/proof/page.ts";

const row = (fields: Partial<ProofRow>): ProofRow => ({
  at: "2026-01-01",
  commit: "0",
  node: "20",
  part: "simulation/log",
  seconds: 1,
  ...fields,
});

test("docs/reliability.md says what the ledger says (npm run prove -- --write)", () => {
  const page = readFileSync(PAGE, "utf8");
  assert.equal(pageOf(page), page);
});

test("docs/compatibility.md says what docs/results/clients.json says (npm run verify -- clients)", () => {
  const page = readFileSync(COMPATIBILITY_PAGE, "utf8");
  assert.equal(compatibilityPageOf(page), page);
});

test("totals add up runs of different seeds, and count a repeated one once", () => {
  const totals = totalsOf([
    row({ seed: 1, seeds: 10, simulatedHours: 1.5, checkedOperations: 100 }),
    row({ seed: 1, seeds: 12, simulatedHours: 2, checkedOperations: 120 }),
    row({ seed: 20, seeds: 10, simulatedHours: 1, checkedOperations: 5 }),
    row({ part: "kills", seed: 1, kills: 7, killsInFlight: 6 }),
    row({ part: "mutants", mutants: 4, mutantsCaught: 3 }),
    row({ part: "mutants", mutants: 30, mutantsCaught: 30 }),
    row({ part: "fuzz", fuzzExecutions: 5 }),
    row({ part: "fuzz", fuzzExecutions: 5 }),
  ]);
  assert.deepEqual(totals, {
    seeds: 22,
    simulatedHours: 3,
    crashStates: 0,
    kills: 7,
    killsInFlight: 6,
    powerCuts: 0,
    checkedOperations: 125,
    fuzzExecutions: 10,
    mutants: 30,
    mutantsCaught: 30,
  });
});
