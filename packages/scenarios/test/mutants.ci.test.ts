import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import { CANARY } from "../src/mutants/canary.ts";
import { MUTANTS } from "../src/mutants/list.ts";
import {
  builtFileOf,
  FAMILIES,
  familyOf,
  LINES_MAX,
  type Mutant,
  occurrencesOf,
} from "../src/mutants/mutant.ts";
import { ROOT } from "../src/mutants/node-args.ts";
import { type Hunt, huntMutant, judged } from "../src/mutants/simulator.ts";

/** Printed with every run: set it to run one again. */
const seed = Number(process.env["KARST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
/** Of the mutants, each time others. */
const SHARE = 4;
/** For a mutant in a family of worlds. */
const SECONDS = 150;

/** Of each family. */
const MUTANTS_MIN = 4;

const everyone: readonly Mutant[] = [...MUTANTS, CANARY];

test("there are enough mutants of every family, each with an id of its own", () => {
  assert.equal(new Set(everyone.map(({ id }) => id)).size, everyone.length);
  for (const family of FAMILIES) {
    const its = MUTANTS.filter((mutant) => familyOf(mutant) === family);
    assert.ok(its.length >= MUTANTS_MIN, `${its.length} mutants of ${family}`);
  }
  for (const { id, ...mutant } of MUTANTS)
    assert.ok(id.startsWith(`${familyOf({ id, ...mutant }).toLowerCase()}-`), id);
});

test("each changes a few lines, which are once in the source and once in what is built of it", () => {
  for (const mutant of everyone) {
    const { id, file, from, to } = mutant;
    assert.notEqual(from.split(/\s+/).join(" "), to.split(/\s+/).join(" "), id);
    for (const path of [file, builtFileOf(mutant)])
      assert.equal(
        occurrencesOf(mutant, readFileSync(join(ROOT, path), "utf8")),
        1,
        `${id}: ${path}`,
      );
    for (const text of [from, to]) assert.ok(text.split("\n").length <= LINES_MAX, id);
  }
});

test("a run counts as a catch only where it names the seed that failed", () => {
  const failed = "log seed 7 failed: InvariantViolation: W1 (acknowledged means durable): p0: lost";
  assert.deepEqual(judged(1, failed, 5), {
    caught: true,
    seeds: 3,
    invariant: "W1",
    message: "InvariantViolation: W1 (acknowledged means durable): p0: lost",
  });
  assert.equal(judged(0, "log: seeds 1 to 9", 1).caught, false);
  assert.equal(judged(1, "TypeError: no such option", 1).caught, false);
  assert.deepEqual(judged(1, "log seed 7 failed: KarstError: a hole", 7), {
    caught: true,
    seeds: 1,
    message: "KarstError: a hole",
  });
  assert.equal(judged(null, failed, 5).caught, false);
});

test("the canary is found by the first seed", async () => {
  const hunt = await huntMutant(CANARY, { seed, seconds: SECONDS });
  report(hunt);
  assert.ok(hunt.caught && hunt.seeds === 1, JSON.stringify(hunt));
});

test("a part of the mutants, each time another, is caught", async () => {
  for (let i = 0; i < SHARE; i += 1) {
    const mutant = MUTANTS[(seed * SHARE + i) % MUTANTS.length] as Mutant;
    const hunt = await huntMutant(mutant, { seed, seconds: SECONDS });
    report(hunt);
    assert.ok(hunt.caught, JSON.stringify(hunt));
  }
});

function report(hunt: Hunt): void {
  process.stdout.write(`KARST_SEED=${seed}: ${JSON.stringify(hunt)}\n`);
}
