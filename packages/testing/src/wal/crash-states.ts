import { MemoryBudget, SlabPool } from "@karst/runtime";
import { nodeClock } from "@karst/runtime/node";
import type { CrashKeep, SimulatedDisk } from "@karst/runtime/testing";
import type { WalLimits } from "@karst/wal";
import { type DiskHash, hashOf } from "../world/disk-hash.ts";
import type { Invariants } from "../world/invariants.ts";
import type { Sometimes } from "../world/sometimes.ts";
import { CrashedDisk } from "./crashed-disk.ts";
import type { Expectation } from "./history.ts";
import type { QuickRandom } from "./quick-random.ts";

/** A disk as a crash has left it, and what must come of it. */
interface CrashState {
  readonly disk: SimulatedDisk;
  readonly expected: Expectation;
  readonly random: QuickRandom;
  /** Where in the run, for messages. */
  readonly where: string;
}

const KEEPS: readonly CrashKeep[] = ["random", "random", "random", "random", "synced", "all"];

const SLAB_BYTES = 4096;
const BUDGET_BYTES = 4 * 1024 * 1024;

/** States waiting to be checked: enough for every operation between two steps of a run, and bounded. */
const WAITING_MAX = 400;

/**
 * The states that crashes may leave: taken from a disk at any moment, checked later, each of them once.
 *
 * Invariant: `seen` has the hash of every state that was checked, or waits for that; those that checks bring about included.
 */
export class CrashStates {
  readonly seen: Set<DiskHash> = new Set();
  readonly #random: QuickRandom;
  readonly #invariants: Invariants;
  readonly #sometimes: Sometimes;
  readonly #budget = new MemoryBudget(BUDGET_BYTES);
  readonly #slabs = new SlabPool({ budget: this.#budget, slabBytes: SLAB_BYTES, poison: true });
  #waiting: CrashState[] = [];
  checkedFrames = 0;

  constructor(random: QuickRandom, invariants: Invariants, sometimes: Sometimes) {
    this.#random = random;
    this.#invariants = invariants;
    this.#sometimes = sometimes;
  }

  /** Crashes a copy of the disk as it is now. */
  take(disk: SimulatedDisk, expected: Expectation, where: string): void {
    if (this.#waiting.length >= WAITING_MAX) return;
    const copy = disk.clone(this.#fresh());
    copy.capacityBytes = Infinity;
    // A killed process leaves the page cache to the next one: the same bytes may be on the medium, or not.
    const killed = this.#random.chance(12);
    if (!killed) {
      copy.crash({ keep: this.#random.pick(KEEPS) });
      if (!this.isNew(copy)) return;
    }
    this.#sometimes.add(killed ? "state of a kill" : "state of a power cut");
    this.#waiting.push({ disk: copy, expected, random: this.#fresh(), where });
  }

  #fresh(): QuickRandom {
    return this.#random.fork(String(this.#random.u32()));
  }

  /** Whether no crash has left this state before; from now on one has. */
  isNew(disk: SimulatedDisk): boolean {
    const hash = hashOf(disk);
    if (this.seen.has(hash)) return false;
    this.seen.add(hash);
    return true;
  }

  /** Opens and checks everything that waits. */
  async check(limits: Partial<WalLimits>): Promise<void> {
    const states = this.#waiting;
    this.#waiting = [];
    if (states.length === 0) return;
    const progress = { at: "", done: false };
    const work = (async (): Promise<void> => {
      for (const { disk, expected, random, where } of states) {
        progress.at = where;
        const crashed = new CrashedDisk({
          disk,
          expected,
          random,
          where,
          limits,
          invariants: this.#invariants,
          sometimes: this.#sometimes,
          budget: this.#budget,
          slabs: this.#slabs,
          isNew: (state) => this.isNew(state),
        });
        await crashed.check();
        this.checkedFrames += crashed.checkedFrames;
      }
    })().finally(() => {
      progress.done = true;
    });
    // Everything that is done there is done in microtasks: what is not over after a few turns never will be.
    work.catch(() => undefined);
    for (let turns = 0; turns < 3 && !progress.done; turns += 1) await realTurn();
    this.#invariants.check("W12", progress.done, () => `an opening never ends: ${progress.at}`);
    await work;
  }
}

function realTurn(): Promise<void> {
  return new Promise((resolve) => {
    nodeClock.defer(resolve);
  });
}
