import assert from "node:assert/strict";
import type { Enumeration, EnumerateOptions } from "../../src/crash-points/enumerate.ts";

/** With fewer a job would be too small to prove anything. */
const CALLS_MIN = 5;

/** Prints what was enumerated, and sees that it was worth it. */
export function report(enumeration: Enumeration, { seed, store, tempo }: EnumerateOptions): void {
  const { job, calls, points, crashStates, checked } = enumeration;
  const kinds = new Map<string, number>();
  for (const { label } of calls) {
    const kind = label.split(" ", 1)[0] ?? label;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  const histogram = [...kinds]
    .toSorted(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${count} ${kind}`);
  console.log(
    `${job} (seed ${seed}, ${store} store, ${tempo}): ${calls.length} calls: ${histogram.join(", ")}; ` +
      `${points} points, ${crashStates.size} states, ${checked} operations checked`,
  );
  assert.ok(calls.length >= CALLS_MIN, `${job} makes ${calls.length} calls only`);
  assert.ok(points > 0, `${job} is crashed nowhere`);
}
