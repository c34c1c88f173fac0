import type { WalPosition } from "@karst/wal";
import type { Invariants } from "../world/invariants.ts";

export interface Entry {
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

/**
 * What one opening of a WAL found, and what has been appended to it since.
 *
 * Invariant: 0 ≤ first ≤ durable ≤ entries.length. Entries are only added.
 */
export class History {
  readonly entries: Entry[];
  /** Entries below this index lie below the trim. */
  first = 0;
  /** Entries below this index were reported durable, or found by an opening that came to its end. */
  durable: number;
  /** The trim moved while a later claim may have copied what lies below it: that may come back. */
  loose = false;

  constructor(found: readonly Entry[]) {
    this.entries = [...found];
    this.durable = found.length;
  }

  /** What a recovery at this moment must come to. */
  expect(trim: WalPosition): Expectation {
    const { entries, first, durable, loose } = this;
    return { entries, first, durable, length: entries.length, trim, loose };
  }
}

/** What a recovery may find: [first, n) of the entries, with durable ≤ n ≤ length. */
export interface Expectation {
  /** May have grown since. */
  readonly entries: readonly Entry[];
  readonly first: number;
  readonly durable: number;
  readonly length: number;
  readonly trim: WalPosition;
  readonly loose: boolean;
}

/** What is wrong with what a recovery found. */
export interface Deviation {
  readonly id: "W1" | "W2" | "W9";
  readonly text: string;
}

/** Why `found` is not what may be there; undefined: it is. */
export function deviation(found: readonly number[], expected: Expectation): Deviation | undefined {
  const { entries, first, durable, length } = expected;
  let from = first;
  if (expected.loose && found.length > 0) {
    const at = entries.findIndex(({ id }) => id === found[0]);
    if (at >= 0 && at < first) from = at;
  }
  if (from + found.length > length)
    return {
      id: "W2",
      text: `${found.length} frames were found, only ${length - from} were appended: ${found.join(" ")}`,
    };
  for (let i = 0; i < found.length; i += 1) {
    const id = (entries[from + i] as Entry).id;
    if (found[i] !== id) {
      // The first one gone, and what follows it there: the trim has taken too much.
      const trimmed = i === 0 && expected.trim > 0;
      return {
        id: trimmed ? "W9" : "W2",
        text: `frame ${found[i]} was found where ${id} belongs`,
      };
    }
  }
  if (from + found.length < durable) {
    const lost = entries[from + found.length] as Entry;
    return {
      id: "W1",
      text: `frame ${lost.id} at [${lost.start}, ${lost.end}) was acknowledged and is lost: ${found.length} of ${durable - from} were found`,
    };
  }
  return undefined;
}

/** @throws InvariantViolation if `found` is not what may be there. */
export function checkFound(
  invariants: Invariants,
  found: readonly number[],
  expected: Expectation,
  where: string,
): void {
  const why = deviation(found, expected);
  for (const id of ["W1", "W2", "W9"] as const)
    invariants.check(id, why?.id !== id, () => `${where}: ${why?.text}`);
}
