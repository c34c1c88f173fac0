import {
  type FaultyObjectStore,
  faultyObjectStore,
  fileObjectStore,
  memoryObjectStore,
  noFaults,
  type ObjectStore,
} from "@karst/objectstore";
import { crc32c, utf8Encode } from "@karst/runtime";
import type {
  ActiveFault,
  ManualClock,
  SimulatedDisk,
  SimulatedRuntime,
} from "@karst/runtime/testing";
import { simulatedRuntime } from "@karst/runtime/testing";
import { Crossings } from "./crossings.ts";
import { STORE_DIRECTORY } from "./limits.ts";
import { Life, mortalStore } from "./mortal.ts";
import type { Surroundings } from "./process.ts";

export interface WorldOptions {
  readonly seed: number;
  /** `file`: objects on the disk of the WAL. `memory`: far away, behind a connection that loses requests and answers. */
  readonly store: "file" | "memory";
  /** `instant`: nothing takes time. `slow`: every step of a disk or store does, so that others come between. */
  readonly tempo: "instant" | "slow";
}

/** How a process ends: the power goes, with what was not synced lost at random, or all of it, or none; or it alone is killed. */
export type Ending = "power" | "power-synced" | "power-all" | "kill";

/** What became of something awaited. `late`: it goes on, longer than anybody should wait. `died`: its process did. */
export type Outcome<T> =
  | { readonly tag: "ok"; readonly value: T }
  | { readonly tag: "failed"; readonly error: unknown }
  | { readonly tag: "late" }
  | { readonly tag: "died" };

/** Waited at most, on the world's clock. */
const PATIENCE_MS = 90_000;

/** Disk, object store and time, for one process after another, or several. */
export class World {
  readonly options: WorldOptions;
  readonly crossings = new Crossings();
  readonly faulty: FaultyObjectStore | undefined;
  #runtime: SimulatedRuntime;
  readonly #lives = new Set<Life>();
  #starts = 0;
  #broken: ActiveFault | undefined;
  #trap: { left: number; readonly ending: Ending } | undefined;
  #trace = 0;
  readonly #segments = new Set<string>();
  #segment = "";

  constructor(options: WorldOptions) {
    this.options = options;
    const slow = options.tempo === "slow";
    this.#runtime = simulatedRuntime({
      seed: options.seed,
      disk: {
        ...(slow && { latency: { minMs: 0, maxMs: 1 } }),
        onOperation: ({ phase, operation, path, to, error }) => {
          if (phase === "before") this.#tick();
          else if (error === undefined) this.#count(operation, to ?? path);
        },
      },
    });
    if (options.store === "memory") {
      this.faulty = faultyObjectStore(memoryObjectStore(), {
        random: this.#runtime.random.fork("store"),
        plan: noFaults,
        clock: this.clock,
        ...(slow && { latencyMs: { min: 0, max: 20 } }),
      });
    }
  }

  get clock(): ManualClock {
    return this.#runtime.clock;
  }

  get disk(): SimulatedDisk {
    return this.#runtime.disk;
  }

  get metrics(): SimulatedRuntime["metrics"] {
    return this.#runtime.metrics;
  }

  /** What the next process is given. */
  surroundings(): Surroundings {
    this.#starts += 1;
    this.#runtime = this.#runtime.restart();
    const life = new Life();
    this.#lives.add(life);
    return {
      number: this.#starts,
      life,
      runtime: this.#runtime,
      store: mortalStore(this.#store(), life, () => this.#tick()),
      stepMsMax: this.options.tempo === "slow" ? 1 : 0,
    };
  }

  /** Every process ends. */
  crash(ending: Ending): void {
    this.#trap = undefined;
    for (const life of this.#lives) life.end();
    this.#lives.clear();
    this.note(`crash ${ending}`);
    if (ending === "kill") this.disk.kill();
    else this.disk.crash({ keep: CRASH_KEEPS[ending] });
  }

  /** Every process ends at the `operations`-th thing from now that is asked of the disk or the store. */
  crashAfter(operations: number, ending: Ending): void {
    this.#trap = { left: operations, ending };
  }

  get isTrapSet(): boolean {
    return this.#trap !== undefined;
  }

  /** The directory of a file store cannot be reached, or can be again. */
  breakStore(down: boolean): void {
    this.#broken?.cancel();
    this.#broken = undefined;
    if (!down) return;
    this.#broken = this.disk.fault({
      on: ["open", "list", "stat", "link", "rename"],
      path: (path) => path.startsWith(STORE_DIRECTORY),
      effect: "EIO",
      times: Infinity,
    });
  }

  /** Faults stop: whatever is done from now on succeeds in the end. */
  heal(): void {
    this.#trap = undefined;
    this.faulty?.setPlan(noFaults);
    this.faulty?.up();
    this.#broken = undefined;
    this.disk.clearFaults();
    this.disk.capacityBytes = Infinity;
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

  /** Adds to what the run did, in order. */
  note(what: string): void {
    this.#trace = crc32c(utf8Encode(`${this.#trace} ${what}`));
  }

  /** Stands for everything that the run did. */
  get trace(): string {
    const { disk, clock, metrics } = this;
    const counted = crc32c(utf8Encode(JSON.stringify(metrics.values())));
    return `${this.#trace} ${disk.operations()} ${clock.monotonicMs()} ${counted}`;
  }

  #store(): ObjectStore {
    if (this.faulty !== undefined) return this.faulty;
    const { files, random } = this.#runtime;
    return fileObjectStore({ files, random: random.fork("store"), directory: STORE_DIRECTORY });
  }

  #tick(): void {
    const trap = this.#trap;
    if (trap === undefined) return;
    trap.left -= 1;
    if (trap.left <= 0) this.crash(trap.ending);
  }

  #count(operation: string, path: string): void {
    const segment = /segment-\d{6}-\d{16}$/.exec(path)?.[0];
    if (segment === undefined) return;
    // A file has its name once it is prewritten; a handle goes by the name before that.
    if (operation === "rename") this.#segments.add(segment);
    if (operation === "remove" && this.#segments.delete(segment)) {
      this.crossings.add("wal-segment-removed");
    }
    if (operation !== "datasync" || segment === this.#segment || !this.#segments.has(segment))
      return;
    // Of one process: the first sync of a segment after that of another one.
    if (segment.slice(0, 14) === this.#segment.slice(0, 14)) this.crossings.add("segment-roll");
    this.#segment = segment;
  }
}

const CRASH_KEEPS = { power: "random", "power-synced": "synced", "power-all": "all" } as const;
