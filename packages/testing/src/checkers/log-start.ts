import type { InitialLog, LogOperation, TrimOperation } from "./history.ts";
import { type LogAnomaly, logAnomaly } from "./log-anomaly.ts";
import { startObservations } from "./observations.ts";
import { firstAtLeast, StepBounds } from "./schedule.ts";

/**
 * Whether the start of the log, a number that trims raise, was seen as one such number would be.
 *
 * Start and tail are checked each by itself: what an operation saw of both may be of two moments.
 */
export function checkStart(
  operations: readonly LogOperation[],
  initial: InitialLog,
): LogAnomaly | undefined {
  const { values, first } = trimsOf(operations, initial);
  const bounds = new StepBounds(values.length, operations);
  const held = new Uint8Array(values.length);
  for (let index = 0; index < operations.length; index += 1) {
    const operation = operations[index] as LogOperation;
    for (const observation of startObservations(operation)) {
      if (observation.tag === "not") continue;
      const { min, max } = observation;
      const reached = firstAtLeast(values, min);
      const wrong =
        max < initial.start ||
        (min > initial.start && reached === values.length) ||
        (min === max && min !== initial.start && values[reached] !== min);
      if (wrong) return logAnomaly("trim-unexplained", [operation], `a start of ${min} to ${max}`);
      if (min > initial.start) {
        bounds.present(reached, index);
        if (min === max) held[reached] = 1;
      }
      const after = max === Infinity ? values.length : firstAtLeast(values, max, true);
      if (after < values.length) bounds.absent(after, index);
    }
  }
  return walk(values, first, bounds, held);
}

/** Starts that were asked for, ascending, and who asked for each first. */
function trimsOf(
  operations: readonly LogOperation[],
  initial: InitialLog,
): { readonly values: Float64Array; readonly first: ReadonlyMap<number, TrimOperation> } {
  const first = new Map<number, TrimOperation>();
  for (const operation of operations) {
    if (operation.kind !== "trim" || operation.outcome.tag === "failed") continue;
    if (operation.before <= initial.start) continue;
    const known = first.get(operation.before);
    if (known === undefined || operation.invokedAt < known.invokedAt)
      first.set(operation.before, operation);
  }
  return { values: Float64Array.from(first.keys()).sort(), first };
}

/**
 * Each value is reached by its own trim or by one above it. So the earliest time of a value is the least, over itself and all above, of
 * when that one could be reached: not before its trim began, nor before anybody who saw a value below it, nor before the trims of values
 * below it that somebody saw themselves.
 */
function walk(
  values: Float64Array,
  first: ReadonlyMap<number, TrimOperation>,
  bounds: StepBounds,
  held: Uint8Array,
): LogAnomaly | undefined {
  const causes: LogOperation[] = [];
  let earlier: LogOperation | undefined;
  for (let step = 0; step < values.length; step += 1) {
    earlier = laterOf(earlier, bounds.lastAbsent(step));
    const trim = first.get(values[step] as number) as TrimOperation;
    const cause = laterOf(earlier, trim) as LogOperation;
    causes.push(cause);
    if (held[step] === 1) earlier = cause;
  }
  let earliest: LogOperation | undefined;
  for (let step = values.length - 1; step >= 0; step -= 1) {
    const cause = causes[step] as LogOperation;
    if (earliest === undefined || cause.invokedAt < earliest.invokedAt) earliest = cause;
    const seen = bounds.firstPresent(step);
    if (seen === undefined || earliest.invokedAt <= seen.returnedAt) continue;
    const detail = `start ${values[step]}: not before ${earliest.invokedAt}, not after ${seen.returnedAt}`;
    const kind = earliest.kind === "trim" ? "trim-future" : "trim-stale";
    return logAnomaly(kind, [earliest, seen], detail);
  }
  return undefined;
}

function laterOf(
  one: LogOperation | undefined,
  other: LogOperation | undefined,
): LogOperation | undefined {
  return (other?.invokedAt ?? -Infinity) > (one?.invokedAt ?? -Infinity) ? other : one;
}
