import {
  type FaultyObjectStore,
  faultyObjectStore,
  MemoryBucket,
  memoryObjectStore,
  noFaults,
} from "@karst/objectstore";
import { crc32c, utf8Encode } from "@karst/runtime";
import {
  type ManualClock,
  type SeededRandom,
  type SimulatedNet,
  type SimulatedRuntime,
  simulatedRuntime,
} from "@karst/runtime/testing";
import type { DiskHash } from "./disk-hash.ts";
import { Invariants } from "./invariants.ts";
import { LateAnswers } from "./late-answers.ts";
import type { Life } from "./life.ts";
import { Machine } from "./machine.ts";
import type { Outcome } from "./outcome.ts";
import { Sometimes } from "./sometimes.ts";

export interface WorldOptions {
  readonly seed: number;
  /** Default 1. */
  readonly machines?: number;
  /** `file`: objects on the disk of the WAL, one machine only. `memory`: far away, behind a connection that loses requests and answers. */
  readonly store: "file" | "memory";
  /** `instant`: nothing takes time. `slow`: every step of a disk or store does, so that others come between. */
  readonly tempo: "instant" | "slow";
}

/** What was done in a world, to tell how much a run is worth. */
export interface Tally {
  /** Appends acknowledged. */
  acknowledged: number;
  /** Appends, reads, trims and failures whose outcome was compared with what it must be. */
  checked: number;
  faults: number;
}

/** Waited at most, on the world's clock. */
const PATIENCE_MS = 90_000;
/** One step of a slow disk's or store's, at most. */
const SLOW_DISK_MS = 1;
const SLOW_STORE_MS = 20;

/**
 * Machines, an object store, a network and time, all from one seed. Nothing but the world lets anything go on: a promise of a port
 * resolves when its clock is driven.
 */
export class World {
  readonly options: WorldOptions;
  readonly machines: readonly Machine[];
  readonly random: SeededRandom;
  readonly clock: ManualClock;
  readonly net: SimulatedNet;
  readonly metrics: SimulatedRuntime["metrics"];
  /** The shared object store; undefined: it is on the machine's disk. */
  readonly faulty: FaultyObjectStore | undefined;
  readonly late: LateAnswers;
  /** What the shared object store holds, whatever it answers. */
  readonly bucket: MemoryBucket = new MemoryBucket();
  readonly sometimes: Sometimes = new Sometimes();
  readonly invariants: Invariants = new Invariants();
  readonly tally: Tally = { acknowledged: 0, checked: 0, faults: 0 };
  /** Distinct states that crashes left on disks. */
  readonly crashStates: Set<DiskHash> = new Set();
  #starts = 0;
  #wallSkewMs = 0;
  #trace = 0;

  constructor(options: WorldOptions) {
    const { seed, machines = 1, store } = options;
    const slow = options.tempo === "slow";
    if (store === "file" && machines !== 1)
      throw new TypeError(`${machines} machines cannot share the disk of one`);
    const disk = slow ? { latency: { minMs: 0, maxMs: SLOW_DISK_MS } } : {};
    const first = simulatedRuntime({ seed, disk });
    this.options = options;
    this.random = first.random.fork("world");
    this.clock = first.clock;
    this.net = first.net;
    this.metrics = first.metrics;
    this.late = new LateAnswers(this.clock, first.random.fork("late answers"));
    if (store === "memory") {
      this.faulty = faultyObjectStore(memoryObjectStore({ bucket: this.bucket }), {
        random: first.random.fork("store"),
        plan: noFaults,
        clock: this.clock,
        ...(slow && { latencyMs: { min: 0, max: SLOW_STORE_MS } }),
      });
    }
    this.machines = Array.from({ length: machines }, (_, i) => {
      const runtime =
        i === 0 ? first : simulatedRuntime({ seed: `${seed}/machine ${i}`, disk, beside: first });
      return new Machine(`m${i}`, runtime, {
        stepMsMax: slow ? SLOW_DISK_MS : 0,
        store: this.faulty,
        arrived: (key) => this.late.arrived(key),
        start: () => (this.#starts += 1),
        crashed: (state) => void this.crashStates.add(state),
        faulted: (what) => this.faulted(what),
      });
    });
  }

  /** The first machine: in most worlds there is no other. */
  get machine(): Machine {
    return this.machines[0] as Machine;
  }

  /** Processes begun so far. */
  get starts(): number {
    return this.#starts;
  }

  /** Faults stop: whatever is done from now on succeeds in the end. */
  heal(): void {
    this.faulty?.setPlan(noFaults);
    this.faulty?.up();
    this.late.msMax = 0;
    for (const machine of this.machines) machine.heal();
  }

  /** Lets time pass until the promise settles, its process ends, or nobody waits any more. */
  async until<T>(life: Life, promise: Promise<T>): Promise<Outcome<T>> {
    let giveUp: (outcome: Outcome<T>) => void = () => undefined;
    const late = new Promise<Outcome<T>>((resolve) => {
      giveUp = resolve;
    });
    const timer = this.clock.setTimer(PATIENCE_MS, () => giveUp({ tag: "late" }));
    const outcome = await this.clock.runUntil(
      Promise.race([
        promise.then(
          (value): Outcome<T> => ({ tag: "ok", value }),
          (error: unknown): Outcome<T> => ({ tag: "failed", error }),
        ),
        life.over.then((): Outcome<T> => ({ tag: "died" })),
        late,
      ]),
    );
    timer.cancel();
    return outcome;
  }

  /** Sets every wall clock, by so much beside what it would be without this. */
  skewWall(ms: number): void {
    this.faulted(`wall clock ${ms}`);
    this.clock.setWall(this.clock.wallMs() - this.#wallSkewMs + ms);
    this.#wallSkewMs = ms;
  }

  /** Adds to what the run did, in order. */
  note(what: string): void {
    let hash = this.#trace;
    for (let i = 0; i < what.length; i += 1)
      hash = Math.imul(hash ^ what.charCodeAt(i), 0x01000193);
    // A mark between two of them, which also mixes what the prime leaves alone.
    this.#trace = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  }

  faulted(what: string): void {
    this.tally.faults += 1;
    this.note(what);
  }

  /** Stands for everything that the run did: what happened, when, and how often. */
  get trace(): string {
    const { clock, metrics, machines } = this;
    const counted = crc32c(utf8Encode(JSON.stringify(metrics.values())));
    const operations = machines.map(({ disk }) => disk.operations()).join("+");
    return `${this.#trace} ${operations} ${clock.monotonicMs()} ${counted}`;
  }
}
