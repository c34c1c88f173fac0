import assert from "node:assert/strict";
import { test } from "vitest";
import { decide, type Findings, RECOVERY_TABLE } from "../../src/recovery/verdict.ts";

const ALL: Findings[] = [];
for (const opened of [false, true]) {
  for (const found of ["nothing", "trimmed", "log"] as const) {
    for (const gap of [false, true]) {
      for (const reach of ["all", "below-watermark", "below-trim"] as const) {
        for (const torn of [false, true]) ALL.push({ opened, found, gap, reach, torn });
      }
    }
  }
}

/** What the rules of safety ask for, in the words of the rules. */
function expected({ opened, found, gap, reach, torn }: Findings): string {
  if (found === "trimmed") return "stale";
  if (found === "nothing") {
    if (opened || reach === "below-watermark") return "corrupt";
    return reach === "below-trim" ? "stale" : "begin";
  }
  if (gap || reach === "below-watermark") return "corrupt";
  if (reach === "below-trim") return "stale";
  return torn ? "cut" : "continue";
}

test("the table decides every combination of its conditions as the rules say", () => {
  assert.equal(ALL.length, 72);
  for (const findings of ALL)
    assert.equal(decide(findings), expected(findings), JSON.stringify(findings));
});

test("nothing is cut and nothing begun where something durable is missing", () => {
  for (const findings of ALL) {
    const missing =
      findings.gap || findings.reach !== "all" || (findings.found === "nothing" && findings.opened);
    if (findings.found === "log" && missing)
      assert.ok(["corrupt", "stale"].includes(decide(findings)));
    if (decide(findings) === "cut") assert.ok(!missing);
    if (decide(findings) === "begin") assert.ok(findings.found === "nothing" && !findings.opened);
  }
});

test("every row of the table decides something", () => {
  const decided = new Set(
    ALL.map((findings) =>
      RECOVERY_TABLE.findIndex(({ verdict, ...conditions }) => {
        void verdict;
        return Object.entries(conditions).every(
          ([name, value]) => findings[name as keyof Findings] === value,
        );
      }),
    ),
  );
  assert.equal(decided.size, RECOVERY_TABLE.length);
});
