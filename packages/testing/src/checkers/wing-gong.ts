import {
  type AppendOperation,
  deadlineOf,
  EMPTY_LOG,
  type InitialLog,
  type LogOperation,
  type ReadOperation,
} from "./history.ts";

/** What a search may look at before it gives up. */
const STATES_MAX = 2_000_000;

/** Something that happens at one moment between two times. */
interface Step<S> {
  readonly invokedAt: number;
  readonly returnedAt: number;
  /** It may be left out. */
  readonly optional: boolean;
  /** The state after it; undefined: it cannot happen here. */
  apply(state: S): S | undefined;
}

interface LogState {
  readonly tail: number;
  readonly batches: readonly {
    readonly baseOffset: number;
    readonly endOffset: number;
    readonly content: number;
  }[];
}

/**
 * The same question as `checkLog`, answered by trying every order (Wing and Gong), remembering what was tried: to check the checker.
 * For histories of up to about 200 operations, few of them at one time.
 *
 * Start and tail are two values: what an operation saw of each may be of two moments. Owners' epochs are not looked at.
 *
 * @returns undefined: given up.
 */
export function searchLog(
  operations: readonly LogOperation[],
  initial: InitialLog = EMPTY_LOG,
): boolean | undefined {
  const log = operations.flatMap((operation) => logSteps(operation, initial));
  const ordered = search<LogState>(log, { tail: initial.tail, batches: [] }, ({ batches }) =>
    batches.map(({ content }) => content).join(),
  );
  if (ordered !== true) return ordered;
  return search<number>(operations.flatMap(startSteps), initial.start, String);
}

function logSteps(operation: LogOperation, initial: InitialLog): Step<LogState>[] {
  const must = (holds: (state: LogState) => boolean): Step<LogState> => ({
    invokedAt: operation.invokedAt,
    returnedAt: operation.returnedAt,
    optional: false,
    apply: (state) => (holds(state) ? state : undefined),
  });
  switch (operation.kind) {
    case "append":
      return appendSteps(operation, must);
    case "tail":
      return [must(({ tail }) => tail === operation.tail)];
    case "trim":
      return operation.outcome.tag === "ok" ? [must(({ tail }) => tail >= operation.before)] : [];
    case "read": {
      const { outcome, from } = operation;
      if (outcome.tag === "trimmed") return [must(({ tail }) => tail > from)];
      const { tail: reported } = outcome;
      const report = reported === undefined ? [] : [must(({ tail }) => tail === reported)];
      if (outcome.tag === "beyond") return [must(({ tail }) => tail < from), ...report];
      return [
        must((state) => showsWhatIsThere(operation, state, initial)),
        ...report,
        // The tail is reported after the batches were found.
        ...(reported === undefined ? [] : [must(() => reported >= endOf(operation))]),
      ];
    }
  }
}

function appendSteps(
  operation: AppendOperation,
  must: (holds: (state: LogState) => boolean) => Step<LogState>,
): Step<LogState>[] {
  const { outcome, ifOffset, count, content } = operation;
  if (outcome.tag === "failed") return [];
  if (outcome.tag === "conflict") {
    return [
      must(
        ({ tail }) => tail !== ifOffset && (outcome.tail === undefined || outcome.tail === tail),
      ),
    ];
  }
  const apply = ({ tail, batches }: LogState): LogState | undefined => {
    if (ifOffset !== undefined && ifOffset !== tail) return undefined;
    const endOffset = tail + count;
    if (outcome.tag === "ok" && (outcome.baseOffset !== tail || outcome.endOffset !== endOffset))
      return undefined;
    return { tail: endOffset, batches: [...batches, { baseOffset: tail, endOffset, content }] };
  };
  const optional = outcome.tag === "unknown";
  return [{ invokedAt: operation.invokedAt, returnedAt: deadlineOf(operation), optional, apply }];
}

function showsWhatIsThere(read: ReadOperation, state: LogState, initial: InitialLog): boolean {
  const { from, outcome } = read;
  const seen = outcome.tag === "ok" ? outcome.batches : [];
  const first = seen[0];
  if (first === undefined) return state.tail === from;
  if (first.baseOffset > from || first.endOffset <= from) return false;
  let next = first.baseOffset;
  for (const { baseOffset, endOffset, content } of seen) {
    if (baseOffset !== next || endOffset <= baseOffset) return false;
    next = endOffset;
    if (endOffset <= initial.tail) continue;
    const there = state.batches.find((batch) => batch.baseOffset === baseOffset);
    if (there?.content !== content || there.endOffset !== endOffset) return false;
  }
  return true;
}

function endOf(read: ReadOperation): number {
  return (read.outcome.tag === "ok" && read.outcome.batches.at(-1)?.endOffset) || read.from;
}

function startSteps(operation: LogOperation): Step<number>[] {
  const { invokedAt, returnedAt } = operation;
  const must = (holds: (start: number) => boolean): Step<number> => ({
    invokedAt,
    returnedAt,
    optional: false,
    apply: (start) => (holds(start) ? start : undefined),
  });
  switch (operation.kind) {
    case "append":
      return [];
    case "tail":
      return operation.start === undefined ? [] : [must((start) => start === operation.start)];
    case "read": {
      const { outcome, from } = operation;
      if (outcome.tag === "beyond") return [];
      const { start: reported } = outcome;
      const hit = must((start) => start <= from === (outcome.tag === "ok"));
      return reported === undefined ? [hit] : [hit, must((start) => start === reported)];
    }
    case "trim": {
      const { outcome, before } = operation;
      if (outcome.tag === "failed") return [];
      const apply = (start: number): number => Math.max(start, before);
      const optional = outcome.tag === "unknown";
      return [{ invokedAt, returnedAt: deadlineOf(operation), optional, apply }];
    }
  }
}

/** Depth first, each pair of (what has happened, state) once. */
function search<S>(
  unsorted: readonly Step<S>[],
  initial: S,
  keyOf: (state: S) => string,
): boolean | undefined {
  const steps = unsorted.toSorted((a, b) => a.invokedAt - b.invokedAt);
  const done = new Uint8Array(steps.length);
  const tried = new Set<string>();
  let given = false;

  const visit = (state: S): boolean => {
    let deadline = Infinity;
    let open = false;
    for (const [i, step] of steps.entries()) {
      if (done[i] === 1 || step.optional) continue;
      open = true;
      deadline = Math.min(deadline, step.returnedAt);
    }
    if (!open) return true;
    const key = `${done.join("")}|${keyOf(state)}`;
    if (tried.has(key)) return false;
    tried.add(key);
    if (tried.size > STATES_MAX) {
      given = true;
      return false;
    }
    for (const [i, step] of steps.entries()) {
      if (step.invokedAt > deadline) break;
      if (done[i] === 1) continue;
      const next = step.apply(state);
      if (next === undefined) continue;
      done[i] = 1;
      if (visit(next)) return true;
      done[i] = 0;
      // What leaves the state alone can as well happen at once.
      if (given || next === state) return false;
    }
    return false;
  };

  const found = visit(initial);
  return given ? undefined : found;
}
