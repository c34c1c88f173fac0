import type { HolderProbe } from "@karst/wal";
import type { Invariants } from "../world/invariants.ts";
import type { WalProcess } from "./wal-process.ts";

/**
 * The processes that have, or believe to have, the WAL.
 *
 * Invariants: epochs that are claimed only grow; every process that runs, but the one that opened last, is superseded.
 */
export class Openers {
  readonly #invariants: Invariants;
  /** Whether who comes second asks who holds it. */
  readonly #courtesy: boolean;
  readonly #running = new Set<WalProcess>();
  readonly #alive = new Set<string>();
  #greatestEpoch = 0;

  constructor(invariants: Invariants, courtesy: boolean) {
    this.#invariants = invariants;
    this.#courtesy = courtesy;
  }

  get running(): readonly WalProcess[] {
    return [...this.#running];
  }

  /** What the WAL says of who holds it. */
  holder({ number }: WalProcess): HolderProbe {
    const self = `process ${number}`;
    return {
      self,
      isAlive: (line) => this.#courtesy && this.#alive.has(line),
      begin: () => void this.#alive.add(self),
      end: () => void this.#alive.delete(self),
    };
  }

  claimed(epoch: number): void {
    this.#invariants.check(
      "F2",
      epoch > this.#greatestEpoch,
      () => `epoch ${epoch} after ${this.#greatestEpoch}`,
    );
    this.#greatestEpoch = epoch;
  }

  /** Its opening has come to its end. */
  opened(process: WalProcess): void {
    for (const one of this.#running) one.superseded = true;
    this.#running.add(process);
  }

  ended(process: WalProcess): void {
    this.#running.delete(process);
  }

  /** Nobody is alive. */
  allEnded(): void {
    this.#alive.clear();
  }
}
