import { test } from "vitest";
import { checkRuns } from "./check-runs.ts";

/** Few: `engine.model.ci.test.ts` has the many. */
const RUNS = Number(process.env["KARST_RUNS"] ?? 60);

test(
  "the engine is an array that survives crashes, faults and zombies",
  () => checkRuns(RUNS),
  120_000 + RUNS * 1_000,
);
