import assert from "node:assert/strict";
import { test } from "vitest";
import { walSeed } from "../../src/wal/wal-seed.ts";
import { WAL_LABELS } from "../../src/wal/labels.ts";
import { Invariants } from "../../src/world/invariants.ts";
import { Sometimes } from "../../src/world/sometimes.ts";

/** Seeds of a run: `KARST_RUNS` for more, from `KARST_SEED` on. */
const RUNS = Number(process.env["KARST_RUNS"] ?? 12);
const FIRST = Number(process.env["KARST_SEED"] ?? 1);

/** Multiplies the crashes that are tried. */
const THOROUGHNESS = Number(process.env["KARST_THOROUGHNESS"] ?? 1);

/** Of a run with very many seeds, or on a busy machine. */
const TIMEOUT_MS = Math.max(180_000, RUNS * 10_000);

/** So many seeds go everywhere. */
const ALL_LABELS_RUNS = 300;

test(
  "one seed",
  async () => {
    const result = await walSeed(FIRST, THOROUGHNESS);
    assert.ok(result.crashStates.size > 0 && result.checked > 0);
  },
  TIMEOUT_MS,
);

test(
  "a seed tells the same story every time",
  async () => {
    for (const seed of [FIRST, FIRST + 1]) {
      const [first, second] = [await walSeed(seed), await walSeed(seed)];
      assert.equal(first.trace, second.trace);
      assert.deepEqual(first.sometimes.counts, second.sometimes.counts);
      assert.deepEqual(first.invariants.counts, second.invariants.counts);
      assert.deepEqual([...first.crashStates], [...second.crashStates]);
    }
  },
  TIMEOUT_MS,
);

test(
  "seeds in a row",
  async () => {
    const sometimes = new Sometimes();
    const invariants = new Invariants();
    const states = new Set<number>();
    for (let seed = FIRST; seed < FIRST + RUNS; seed += 1) {
      const result = await walSeed(seed);
      sometimes.addAll(result.sometimes);
      invariants.addAll(result.invariants);
      for (const state of result.crashStates) states.add(state);
    }
    assert.ok(states.size > RUNS * 20, `${states.size} distinct crash states`);
    for (const id of ["W1", "W2", "W3", "W5", "W6", "W7", "W8", "W9", "W10", "W12", "PL4"] as const)
      assert.ok(invariants.of(id) > 0, `${id} was never checked`);
    if (RUNS >= ALL_LABELS_RUNS) assert.deepEqual(sometimes.missing(WAL_LABELS), []);
  },
  TIMEOUT_MS,
);
