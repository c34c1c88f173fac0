import assert from "node:assert/strict";
import { test } from "vitest";
import { fuzz, TARGETS } from "../src/fuzz/fuzzer.ts";

/** Printed with every run: set it to run one again. */
const seed = Number(process.env["KARST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const SECONDS = 20;

test("decoders make of any bytes a value, or refuse them", async () => {
  const report = await fuzz({ seed, executions: Infinity, secondsMax: SECONDS });
  process.stdout.write(`fuzz: ${JSON.stringify({ ...report, seed, byTarget: undefined })}\n`);
  assert.equal(Object.keys(report.byTarget).length, TARGETS.length);
  for (const { name, total } of TARGETS) {
    const { accepted, executions } = report.byTarget[name] ?? { accepted: 0, executions: 0 };
    assert.ok(accepted > 0, `${name}: none of ${executions} inputs was accepted`);
    assert.ok(total === true || accepted < executions, `${name}: every input was accepted`);
  }
});
