import type { Invariants } from "../world/invariants.ts";
import type { Entry, History } from "./history.ts";
import type { WalDisk } from "./wal-disk.ts";
import type { WalProcess } from "./wal-process.ts";

/**
 * What processes are told to be durable: so it is, on every medium that a crash may leave, and for whoever opened later.
 *
 * Invariant: frames of a process's history below `durable` have been reported, or were found by its opening.
 */
export class DurableReports {
  /** Frames reported durable. */
  frames = 0;
  readonly #disk: WalDisk;
  readonly #invariants: Invariants;

  constructor(disk: WalDisk, invariants: Invariants) {
    this.#disk = disk;
    this.#invariants = invariants;
  }

  /** The process is told that everything below is durable. */
  reported(process: WalProcess, position: number): void {
    // Its call is on the way to a process that is gone.
    if (this.#disk.sprung) return;
    const history = process.history as History;
    this.#invariants.check(
      "W8",
      process.failure === undefined,
      () => `${position} reported durable by an instance that has failed`,
    );
    this.#invariants.check(
      "W3",
      position > process.reported,
      () => `${position} reported durable after ${process.reported}`,
    );
    process.reported = position;
    for (; (history.entries[history.durable]?.end ?? Infinity) <= position; history.durable += 1) {
      this.#checkFrame(process, history.entries[history.durable] as Entry);
      this.frames += 1;
    }
  }

  #checkFrame({ superseded }: WalProcess, { id, start, end }: Entry): void {
    this.#invariants.check(
      superseded ? "F3" : "W1",
      !superseded && this.#disk.isDurable(start, end),
      () =>
        `frame ${id} at [${start}, ${end}) was reported durable ${superseded ? "by a process that was succeeded" : "and is not"}`,
    );
    this.#invariants.check(
      "F5",
      !this.#disk.wasFenced(start),
      () => `frame ${id} was synced after a later claim, and reported durable`,
    );
  }
}
