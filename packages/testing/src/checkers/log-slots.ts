import type { InitialLog, LogOperation } from "./history.ts";
import type { Fact } from "./log-facts.ts";
import { tailObservations } from "./observations.ts";

/**
 * The log as steps of its tail: each slot is a batch that is known, or a part of a gap between two: where an append of unknown outcome
 * must have been that nobody read. A gap has a step at each offset that somebody looked at: with batches of one record it is exact, with
 * longer ones it asks for less than the truth.
 */
export interface LogSlots {
  /** Ascending. Slot k is [ends[k − 1], ends[k]), the first from the initial tail. */
  readonly ends: Float64Array;
  /** undefined: a gap. */
  readonly facts: readonly (Fact | undefined)[];
}

export function buildSlots(
  operations: readonly LogOperation[],
  allFacts: readonly Fact[],
  initial: InitialLog,
): LogSlots {
  const facts = allFacts.filter((fact) => fact.endOffset > initial.tail);
  const { positions, reached } = positionsOf(operations, facts.at(-1)?.endOffset ?? initial.tail);
  const ends: number[] = [];
  const slotFacts: (Fact | undefined)[] = [];
  let end = initial.tail;
  let i = 0;
  const fillTo = (bound: number): void => {
    for (; i < positions.length && (positions[i] as number) < bound; i += 1) {
      const position = positions[i] as number;
      if (position <= end) continue;
      ends.push(position);
      slotFacts.push(undefined);
      end = position;
    }
    if (end >= bound) return;
    ends.push(bound);
    slotFacts.push(undefined);
    end = bound;
  };
  for (const fact of facts) {
    fillTo(fact.baseOffset);
    ends.push(fact.endOffset);
    slotFacts.push(fact);
    end = fact.endOffset;
  }
  fillTo(reached);
  return { ends: Float64Array.from(ends), facts: slotFacts };
}

/** Every offset that somebody compared the tail with, and the greatest that it must have reached. */
function positionsOf(
  operations: readonly LogOperation[],
  end: number,
): { readonly positions: Float64Array; readonly reached: number } {
  const positions: number[] = [];
  let reached = end;
  for (const operation of operations) {
    for (const observation of tailObservations(operation)) {
      if (observation.tag === "not") {
        positions.push(observation.value);
        continue;
      }
      const { min, max } = observation;
      if (min !== -Infinity) positions.push(min);
      if (max !== Infinity && max !== min) positions.push(max);
      if (min > reached) reached = min;
    }
  }
  return { positions: Float64Array.from(positions).sort(), reached };
}
