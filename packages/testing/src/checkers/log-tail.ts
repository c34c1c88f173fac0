import { type AppendOperation, deadlineOf, type InitialLog, type LogOperation } from "./history.ts";
import { type LogAnomaly, logAnomaly } from "./log-anomaly.ts";
import type { Fact, LogFacts } from "./log-facts.ts";
import { buildSlots, type LogSlots } from "./log-slots.ts";
import { tailObservations } from "./observations.ts";
import { firstAtLeast, StepBounds } from "./schedule.ts";

/** A conflict that does not tell the tail, only that it was not `at`, which lies between slot `step` − 1 and slot `step`. */
interface Conflict {
  readonly index: number;
  readonly step: number;
}

export interface TailSchedule {
  /** Of offsets in gaps. */
  readonly unreadCount: number;
  /** Whether the appends that nobody saw can be arranged as is assumed, wherever it matters. */
  readonly exact: boolean;
}

/** Finds times at which every append could have taken effect, such that each operation saw the tail that it saw. */
export function scheduleTail(
  operations: readonly LogOperation[],
  { facts, unseen }: LogFacts,
  initial: InitialLog,
): TailSchedule | LogAnomaly {
  const slots = buildSlots(operations, facts, initial);
  // The last step is the first that nobody saw: it may happen, or not.
  const bounds = new StepBounds(slots.ends.length + 1, operations);
  const conflicts: Conflict[] = [];
  const impossible = observe(operations, slots, initial, bounds, conflicts);
  if (impossible !== undefined) return impossible;
  const walk = new Walk(slots, bounds, initial, unseen);
  return walk.run() ?? decideConflicts(operations, walk, bounds, conflicts) ?? walk;
}

/** Turns what was seen into bounds of steps; an anomaly: a tail that no arrangement has. */
function observe(
  operations: readonly LogOperation[],
  { ends, facts }: LogSlots,
  initial: InitialLog,
  bounds: StepBounds,
  conflicts: Conflict[],
): LogAnomaly | undefined {
  const end = ends.at(-1) ?? initial.tail;
  for (let index = 0; index < operations.length; index += 1) {
    const operation = operations[index] as LogOperation;
    for (const observation of tailObservations(operation)) {
      if (observation.tag === "not") {
        const at = firstAtLeast(ends, observation.value);
        if (ends[at] === observation.value) conflicts.push({ index, step: at + 1 });
        else if (observation.value === initial.tail) conflicts.push({ index, step: 0 });
        continue;
      }
      const { min, max } = observation;
      if (max < initial.tail)
        return logAnomaly("regressed", [operation], `tail ${max}, ${initial.tail} at first`);
      if (max <= end) bounds.absent(firstAtLeast(ends, max, true), index);
      if (min <= initial.tail) continue;
      const reached = firstAtLeast(ends, min);
      const fact = facts[reached];
      if (min === max && ends[reached] !== min)
        return logAnomaly("torn", [fact?.witness, operation], `tail ${min}, inside a batch`);
      bounds.present(reached, index);
    }
  }
  return undefined;
}

/** The earliest time of every step. */
class Walk implements TailSchedule {
  readonly times: Float64Array;
  unreadCount = 0;
  exact = true;
  readonly #slots: LogSlots;
  readonly #bounds: StepBounds;
  readonly #initial: InitialLog;
  /** Appends that may fill gaps, by the time they began, and how far they are used. */
  readonly #unseen: readonly AppendOperation[];
  #used = 0;
  #capacity = 0;

  constructor(
    slots: LogSlots,
    bounds: StepBounds,
    initial: InitialLog,
    unseen: readonly AppendOperation[],
  ) {
    this.times = new Float64Array(slots.ends.length + 1);
    this.#slots = slots;
    this.#bounds = bounds;
    this.#initial = initial;
    this.#unseen = unseen.toSorted((a, b) => a.invokedAt - b.invokedAt);
  }

  run(): LogAnomaly | undefined {
    const { ends, facts } = this.#slots;
    let time = -Infinity;
    let cause: LogOperation | undefined;
    let epoch = -Infinity;
    let newest: AppendOperation | undefined;
    for (let step = 0; step < ends.length; step += 1) {
      const fact = facts[step];
      if (fact === undefined)
        this.unreadCount += (ends[step] as number) - (ends[step - 1] ?? this.#initial.tail);
      const append = fact === undefined ? this.#lastFilling(this.unreadCount) : fact.append;
      if (fact === undefined && append === undefined) return this.#unexplained(step);
      if (append !== undefined && append.invokedAt > time) {
        time = append.invokedAt;
        cause = append;
      }
      if (this.#bounds.notBefore(step) > time) {
        time = this.#bounds.notBefore(step);
        cause = this.#bounds.lastAbsent(step);
      }
      this.times[step] = time;
      if (time > this.deadline(step)) return this.#contradiction(step, append, cause);
      const newer = fact?.append?.epoch;
      if (newer === undefined) continue;
      if (newer < epoch)
        return logAnomaly("epoch-order", [newest, fact?.append], `epoch ${newer} after ${epoch}`);
      epoch = newer;
      newest = fact?.append;
    }
    this.exact =
      this.unreadCount === 0 ||
      this.#unseen.every(({ count, ifOffset }) => count === 1 && ifOffset === undefined);
    const next = this.#lastFilling(this.unreadCount + 1)?.invokedAt ?? Infinity;
    this.times[ends.length] = Math.max(time, this.#bounds.notBefore(ends.length), next);
    return undefined;
  }

  /** There has to have been an append above all that was seen. */
  usesUnseen(): void {
    this.exact = false;
  }

  /** When the step must have happened. */
  deadline(step: number): number {
    const append = this.#slots.facts[step]?.append;
    const ended = append === undefined ? Infinity : deadlineOf(append);
    return Math.min(ended, this.#bounds.notAfter(step));
  }

  /** The last begun of the appends that it takes to fill gaps of `count` offsets; undefined: they do not suffice. */
  #lastFilling(count: number): AppendOperation | undefined {
    while (this.#capacity < count) {
      const next = this.#unseen[this.#used];
      if (next === undefined) return undefined;
      this.#capacity += next.count;
      this.#used += 1;
    }
    return this.#unseen[this.#used - 1];
  }

  /** Names whoever saw, or is, something above the gap. */
  #unexplained(step: number): LogAnomaly {
    const { facts } = this.#slots;
    const above = facts.find((fact, i) => i > step && fact !== undefined);
    const last = this.#bounds.firstPresent(facts.length - 1);
    const witness = this.#bounds.firstPresent(step) ?? above?.witness ?? last;
    return logAnomaly("unexplained", [witness], this.#rangeOf(step));
  }

  /** Names what is wrong by the most telling of the pairs that contradict each other at this step. */
  #contradiction(
    step: number,
    append: AppendOperation | undefined,
    cause: LogOperation | undefined,
  ): LogAnomaly {
    const time = this.times[step] as number;
    const fact: Fact | undefined = this.#slots.facts[step];
    const acknowledged =
      fact?.append !== undefined && deadlineOf(fact.append) < time ? fact.append : undefined;
    const early = acknowledged ?? this.#bounds.firstPresent(step);
    const ended = early === undefined ? -Infinity : early.returnedAt;
    const late = append !== undefined && append.invokedAt > ended ? append : cause;
    const detail = `${this.#rangeOf(step)}: not before ${late?.invokedAt}, not after ${ended}`;
    if (late?.kind === "append" && late.outcome.tag !== "conflict")
      return logAnomaly(acknowledged === undefined ? "future" : "order", [late, early], detail);
    return logAnomaly(acknowledged === undefined ? "regressed" : "stale", [early, late], detail);
  }

  #rangeOf(step: number): string {
    const { ends } = this.#slots;
    return `[${ends[step - 1] ?? this.#initial.tail}, ${ends[step]})`;
  }
}

/**
 * A refused condition saw the tail below `at` or above it. From the top down: where the step beyond `at` may not have happened in time,
 * the step to `at` must not have either, until the operation began. That moves no later step: the one beyond was later already.
 */
function decideConflicts(
  operations: readonly LogOperation[],
  walk: Walk,
  bounds: StepBounds,
  conflicts: readonly Conflict[],
): LogAnomaly | undefined {
  const { times } = walk;
  for (const { index, step } of conflicts.toSorted((a, b) => b.step - a.step)) {
    const operation = operations[index] as LogOperation;
    if ((times[step] as number) <= operation.returnedAt) {
      if (step === times.length - 1) walk.usesUnseen();
      continue;
    }
    if (step === 0 || operation.invokedAt > walk.deadline(step - 1))
      return logAnomaly("condition", [operation], "refused, and held all the time");
    times[step - 1] = Math.max(times[step - 1] as number, operation.invokedAt);
  }
  return undefined;
}
