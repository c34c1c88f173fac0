import { test } from "vitest";
import { checkRuns } from "./check-runs.ts";

const RUNS = Number(process.env["KARST_RUNS"] ?? 1_200);

test(
  "the engine is an array that survives crashes, faults and zombies, in many runs",
  () => checkRuns(RUNS),
  600_000 + RUNS * 1_000,
);
