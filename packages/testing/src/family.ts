import type { Invariants } from "./world/invariants.ts";
import type { Sometimes } from "./world/sometimes.ts";

/** What came of one seed in which nothing went wrong. */
export interface SeedResult {
  readonly seed: number;
  /** Stands for everything that happened: the same seed gives the same one. */
  readonly trace: string;
  readonly simulatedMs: number;
  /** Appends acknowledged. */
  readonly acknowledged: number;
  /** Operations whose outcome was compared with what it must be. */
  readonly checked: number;
  readonly faults: number;
  /** Distinct states that crashes left on disks, each of them opened again. */
  readonly crashStates: ReadonlySet<number>;
  readonly sometimes: Sometimes;
  readonly invariants: Invariants;
}

/** A sort of worlds, of which each seed makes one. */
export interface Family {
  readonly name: string;
  /** What must happen now and then, over a few hundred seeds. */
  readonly labels: readonly string[];
  /** Rejects with the first thing found wrong. */
  run(seed: number): Promise<SeedResult>;
  /** What is left of a failing seed's story, as text, when all that is not needed for the failure has been left out. */
  shrink?(seed: number): Promise<string>;
}
