import { figuresOf, ratiosOf } from "../measure/figures.ts";
import type { RoundOutcome } from "../measure/in-flight.ts";
import type { Report } from "./report.ts";

/** Closed loops side by side, with what each reached of those that are the measure. */
export function roundsTable(
  report: Report,
  outcomes: ReadonlyMap<string, readonly RoundOutcome[]>,
  measures: readonly string[],
): void {
  const perSecond = (name: string): number[] =>
    (outcomes.get(name) ?? []).map((outcome) => outcome.perSecond);
  report.table(
    ["", "appends/s", "p50 ms", "p99 ms", "CPU µs", ...measures.map((name) => `of ${name}`)],
    [...outcomes].map(([name, results]) => [
      refusedNote(name, results),
      figuresOf(perSecond(name)),
      figuresOf(results.map((one) => one.p50Ms)),
      figuresOf(results.map((one) => one.p99Ms)),
      figuresOf(results.map((one) => one.cpuMicroseconds)),
      ...measures.map((measure) => ratiosOf(perSecond(name), perSecond(measure))),
    ]),
  );
}

/** Says how many appends had to be offered again. */
function refusedNote(name: string, results: readonly RoundOutcome[]): string {
  const refused = results.reduce((sum, one) => sum + one.refused, 0);
  return refused === 0 ? name : `${name} (${refused} refused)`;
}
