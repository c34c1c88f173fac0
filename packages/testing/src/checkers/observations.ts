import type { LogOperation } from "./history.ts";

/** At one moment of the operation the value was in [min, max]; `not`: it was anything else. */
export type Observation =
  | { readonly tag: "between"; readonly min: number; readonly max: number }
  | { readonly tag: "not"; readonly value: number };

const NOTHING: readonly Observation[] = [];

/** What an operation tells of the end of the log. */
export function tailObservations(operation: LogOperation): readonly Observation[] {
  switch (operation.kind) {
    case "append": {
      const { outcome, ifOffset } = operation;
      if (outcome.tag !== "conflict") return NOTHING;
      if (ifOffset === undefined) throw new TypeError("a conflict without a condition");
      return [outcome.tail === undefined ? { tag: "not", value: ifOffset } : exactly(outcome.tail)];
    }
    case "read": {
      const { outcome, from } = operation;
      if (outcome.tag === "trimmed") return [atLeast(from + 1)];
      if (outcome.tag === "beyond") return withReported([atMost(from - 1)], outcome.tail);
      const last = outcome.batches.at(-1);
      if (last === undefined) return withReported([exactly(from)], outcome.tail);
      return [outcome.tail === undefined ? atLeast(last.endOffset) : exactly(outcome.tail)];
    }
    case "tail":
      return [exactly(operation.tail)];
    case "trim":
      return operation.outcome.tag === "ok" ? [atLeast(operation.before)] : NOTHING;
  }
}

/** What an operation tells of the start of the log. */
export function startObservations(operation: LogOperation): readonly Observation[] {
  switch (operation.kind) {
    case "append":
      return NOTHING;
    case "read": {
      const { outcome, from } = operation;
      if (outcome.tag === "beyond") return NOTHING;
      const hit = outcome.tag === "trimmed" ? atLeast(from + 1) : atMost(from);
      return withReported([hit], outcome.start);
    }
    case "tail":
      return operation.start === undefined ? NOTHING : [exactly(operation.start)];
    case "trim":
      return operation.outcome.tag === "ok" ? [atLeast(operation.before)] : NOTHING;
  }
}

function withReported(
  observations: readonly Observation[],
  reported: number | undefined,
): readonly Observation[] {
  return reported === undefined ? observations : [...observations, exactly(reported)];
}

function exactly(value: number): Observation {
  return { tag: "between", min: value, max: value };
}

function atLeast(value: number): Observation {
  return { tag: "between", min: value, max: Infinity };
}

function atMost(value: number): Observation {
  return { tag: "between", min: -Infinity, max: value };
}
