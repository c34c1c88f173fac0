import type {
  AppendOperation,
  LogOperation,
  ReadOperation,
  SeenBatch,
  TailOperation,
} from "../../src/checkers/history.ts";
import type { LogAnomalyKind } from "../../src/checkers/log-anomaly.ts";
import type { SimulatedLog } from "./simulated-log.ts";

/** Draws from [0, below). */
type Draw = (below: number) => number;
type Inject = (log: SimulatedLog, draw: Draw) => readonly LogOperation[] | undefined;
type Acknowledged = AppendOperation & { readonly outcome: { readonly tag: "ok" } };

const CONTENT = 1_000_000;

/** The operations of a right log with one anomaly in them; undefined: this history has no place for it. */
export const LOG_INJECTIONS: Readonly<Record<LogAnomalyKind, Inject>> = {
  overlap: (log, draw) => {
    const victim = pick(acknowledgedOf(log), draw);
    if (victim === undefined) return undefined;
    const { baseOffset, endOffset } = victim.outcome;
    // The second half of it, or all, and more.
    const base = draw(2) === 0 ? baseOffset : endOffset - 1;
    const count = base === baseOffset ? endOffset - base : Math.max(1, log.tail - base + draw(3));
    return [...log.operations, appended(log, base, count)];
  },
  inconsistent: (log, draw) =>
    withRead(log, draw, 1, (batches, at) => {
      const victim = batches[at] as SeenBatch;
      const known = acknowledgedOf(log);
      // What is there only because it was read could be the other way round.
      if (!known.some(({ content }) => content === victim.content)) return undefined;
      const other = known.find(({ content }) => content !== victim.content);
      return other && batches.with(at, { ...victim, content: other.content });
    }),
  duplicate: (log, draw) => {
    const victim = pick(acknowledgedOf(log), draw);
    if (victim === undefined) return undefined;
    const { tail } = log;
    const batch = { baseOffset: tail, endOffset: tail + victim.count, content: victim.content };
    return [...log.operations, read(log, tail, [batch])];
  },
  phantom: (log, draw) =>
    withRead(log, draw, 1, (batches, at) =>
      batches.with(at, { ...(batches[at] as SeenBatch), content: CONTENT }),
    ),
  aborted: (log, draw) => {
    const { tail } = log;
    const outcome = draw(2) === 0 ? ({ tag: "failed" } as const) : ({ tag: "conflict" } as const);
    const failed = { ...appended(log, tail, 1), ifOffset: tail + 1, outcome };
    const batch = { baseOffset: tail, endOffset: tail + 1, content: failed.content };
    return [...log.operations, failed, read(log, tail, [batch])];
  },
  torn: (log, draw) => {
    const { tail } = log;
    const append = appended(log, tail, 2);
    const batch = { baseOffset: tail, endOffset: tail + 1, content: append.content };
    const seen = draw(2) === 0 ? read(log, tail, [batch]) : tailOf(log, tail + 1);
    return [...log.operations, append, seen];
  },
  discontiguous: (log, draw) => {
    const leave = draw(3);
    return withRead(log, draw, 3, (batches) => {
      if (leave === 0) return batches.toSpliced(1, 1);
      return leave === 1 ? batches.slice(1) : batches.toSpliced(1, 0, batches[0] as SeenBatch);
    });
  },
  "above-tail": (log, draw) => {
    const victim = pick(readsOf(log, 1), draw);
    if (victim === undefined) return undefined;
    const { outcome } = victim;
    const tail = (outcome.batches.at(-1) as SeenBatch).baseOffset;
    return replaced(log, victim, { ...victim, outcome: { ...outcome, tail } });
  },
  condition: (log, draw) => {
    const { tail } = log;
    const last = appended(log, tail, 1);
    const conflict = { tag: "conflict" } as const;
    switch (draw(3)) {
      case 0:
        return [...log.operations, { ...last, ifOffset: tail + 1 }];
      case 1:
        return [...log.operations, { ...last, ifOffset: tail, outcome: { ...conflict, tail } }];
      default: {
        // Everybody sees that the log stays as it is.
        const before = tailOf(log, tail);
        const refused = { ...appended(log, tail, 1), ifOffset: tail, outcome: conflict };
        return [...log.operations, before, refused, tailOf(log, tail)];
      }
    }
  },
  "epoch-order": (log) => {
    const { tail, epoch } = log;
    const newer = { ...appended(log, tail, 1), epoch: epoch + 1 };
    return [...log.operations, newer, { ...appended(log, tail + 1, 1), epoch }];
  },
  unexplained: (log, draw) => {
    let unknown = 0;
    for (const operation of log.operations)
      if (operation.kind === "append" && operation.outcome.tag === "unknown")
        unknown += operation.count;
    const beyond = log.tail + unknown + 1 + draw(5);
    const seen = draw(2) === 0 ? tailOf(log, beyond) : appended(log, beyond, 1);
    return [...log.operations, seen];
  },
  order: (log) => {
    const above = appended(log, log.tail + 1, 1);
    return [...log.operations, above, appended(log, log.tail, 1)];
  },
  future: (log, draw) => {
    const victim = pick(acknowledgedOf(log), draw);
    if (victim === undefined) return undefined;
    const { endOffset } = victim.outcome;
    const early = { invokedAt: victim.invokedAt - 0.75, returnedAt: victim.invokedAt - 0.25 };
    return [...log.operations, { ...tailOf(log, endOffset), ...early }];
  },
  stale: (log, draw) => {
    const victim = pick(acknowledgedOf(log), draw);
    if (victim === undefined) return undefined;
    const { baseOffset } = victim.outcome;
    const late = { invokedAt: victim.returnedAt + 0.25, returnedAt: victim.returnedAt + 0.75 };
    const empty = { ...read(log, baseOffset, []), ...late };
    return [...log.operations, draw(2) === 0 ? { ...tailOf(log, baseOffset), ...late } : empty];
  },
  regressed: (log, draw) => {
    const { tail } = log;
    const unknown: LogOperation = { ...appended(log, tail, 1), outcome: { tag: "unknown" } };
    const batch = { baseOffset: tail, endOffset: tail + 1, content: unknown.content };
    const seen = draw(2) === 0 ? read(log, tail, [batch]) : tailOf(log, tail + 1);
    return [...log.operations, unknown, seen, tailOf(log, tail)];
  },
  "trim-unexplained": (log, draw) => {
    // The log is long enough to have been trimmed so far.
    const append = appended(log, log.tail, 2);
    const seen = { ...tailOf(log, log.tail + 2), start: log.tail + 1 };
    return [...log.operations, append, draw(2) === 0 ? seen : refused(log, log.tail)];
  },
  "trim-future": (log, draw) => {
    const append = appended(log, log.tail, 2);
    const before = log.tail + 1;
    const seen = { ...tailOf(log, log.tail + 2), start: before };
    const early = draw(2) === 0 ? seen : refused(log, log.tail);
    return [...log.operations, append, early, trim(log, before)];
  },
  "trim-stale": (log, draw) => {
    const append = appended(log, log.tail, 2);
    const trimmed = trim(log, log.tail + 1);
    const batch = { baseOffset: log.tail, endOffset: log.tail + 2, content: append.content };
    const late = read(log, log.tail, [batch]);
    const seen = { ...tailOf(log, log.tail + 2), start: log.start };
    return [...log.operations, append, trimmed, draw(2) === 0 ? late : seen];
  },
};

/** After all others. */
function times(log: SimulatedLog): { readonly invokedAt: number; readonly returnedAt: number } {
  log.now += 2;
  return { invokedAt: log.now - 1, returnedAt: log.now };
}

function appended(log: SimulatedLog, baseOffset: number, count: number): Acknowledged {
  const at = times(log);
  const outcome = { tag: "ok", baseOffset, endOffset: baseOffset + count } as const;
  return { kind: "append", process: "i", ...at, content: CONTENT + at.returnedAt, count, outcome };
}

function read(log: SimulatedLog, from: number, batches: readonly SeenBatch[]): ReadOperation {
  return { kind: "read", process: "i", ...times(log), from, outcome: { tag: "ok", batches } };
}

function refused(log: SimulatedLog, from: number): ReadOperation {
  return { kind: "read", process: "i", ...times(log), from, outcome: { tag: "trimmed" } };
}

function tailOf(log: SimulatedLog, tail: number): TailOperation {
  return { kind: "tail", process: "i", ...times(log), tail };
}

function trim(log: SimulatedLog, before: number): LogOperation {
  return { kind: "trim", process: "i", ...times(log), before, outcome: { tag: "ok" } };
}

function acknowledgedOf(log: SimulatedLog): readonly Acknowledged[] {
  return log.operations.filter(
    (one): one is Acknowledged => one.kind === "append" && one.outcome.tag === "ok",
  );
}

type Shown = ReadOperation & { readonly outcome: { readonly tag: "ok" } };

function readsOf(log: SimulatedLog, batchesMin: number): readonly Shown[] {
  return log.operations.filter(
    (one): one is Shown =>
      one.kind === "read" && one.outcome.tag === "ok" && one.outcome.batches.length >= batchesMin,
  );
}

/** Some read shows something else. */
function withRead(
  log: SimulatedLog,
  draw: Draw,
  batchesMin: number,
  change: (batches: readonly SeenBatch[], at: number) => readonly SeenBatch[] | undefined,
): readonly LogOperation[] | undefined {
  const victim = pick(readsOf(log, batchesMin), draw);
  if (victim === undefined) return undefined;
  const { batches } = victim.outcome;
  const changed = change(batches, draw(batches.length));
  if (changed === undefined) return undefined;
  return replaced(log, victim, { ...victim, outcome: { tag: "ok", batches: changed } });
}

function replaced(
  log: SimulatedLog,
  victim: LogOperation,
  by: LogOperation,
): readonly LogOperation[] {
  return log.operations.map((one) => (one === victim ? by : one));
}

function pick<T>(all: readonly T[], draw: Draw): T | undefined {
  return all[draw(Math.max(1, all.length))];
}
