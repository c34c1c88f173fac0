import assert from "node:assert/strict";

/** What runs must have met, so that one that never goes where bugs would be is found out. */
export type Crossing =
  | "segment-roll"
  | "upload"
  | "wal-trim"
  | "wal-segment-removed"
  | "recovery-from-wal"
  | "recovery-from-objects-and-wal"
  | "recovery-crashed"
  | "clean-close"
  | "cold-read"
  | "append-refused"
  | "backlog-refused"
  | "disk-full-refused"
  | "append-unknown"
  | "doubtful-survived"
  | "doubtful-lost"
  | "engine-failed"
  | "zombie-fenced"
  | "zombie-refused"
  | "race"
  | "trim"
  | "duplicate-answered"
  | "retry-survived"
  | "retry-appended"
  | "followed";

/** Of runs over a store that loses requests and answers. */
export type StoreCrossing =
  | "lost-answer"
  | "lost-request"
  | "late-effect"
  | "outage"
  | "flipped-bit"
  | "not-found";

export class Crossings {
  readonly #counts = new Map<string, number>();

  add(what: Crossing | StoreCrossing, amount = 1): void {
    this.#counts.set(what, this.of(what) + amount);
  }

  of(what: Crossing | StoreCrossing): number {
    return this.#counts.get(what) ?? 0;
  }

  addAll(other: Crossings): void {
    for (const [what, amount] of other.#counts)
      this.#counts.set(what, (this.#counts.get(what) ?? 0) + amount);
  }

  /** Every one was met. */
  check(names: readonly (Crossing | StoreCrossing)[]): void {
    const missed = names.filter((name) => this.of(name) === 0);
    assert.deepEqual(missed, [], `never met: ${missed.join(", ")}; met: ${this.toString()}`);
  }

  toString(): string {
    return [...this.#counts]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([what, amount]) => `${what} ${amount}`)
      .join(", ");
  }
}

export const CROSSINGS: readonly Crossing[] = Object.keys({
  "segment-roll": 0,
  upload: 0,
  "wal-trim": 0,
  "wal-segment-removed": 0,
  "recovery-from-wal": 0,
  "recovery-from-objects-and-wal": 0,
  "recovery-crashed": 0,
  "clean-close": 0,
  "cold-read": 0,
  "append-refused": 0,
  "backlog-refused": 0,
  "disk-full-refused": 0,
  "append-unknown": 0,
  "doubtful-survived": 0,
  "doubtful-lost": 0,
  "engine-failed": 0,
  "zombie-fenced": 0,
  "zombie-refused": 0,
  race: 0,
  trim: 0,
  "duplicate-answered": 0,
  "retry-survived": 0,
  "retry-appended": 0,
  followed: 0,
} satisfies Record<Crossing, 0>) as Crossing[];

export const STORE_CROSSINGS: readonly StoreCrossing[] = [
  "lost-answer",
  "lost-request",
  "late-effect",
  "outage",
  "flipped-bit",
  "not-found",
];
