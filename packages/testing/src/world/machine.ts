import { type FaultyObjectStore, fileObjectStore, type ObjectStore } from "@karst/objectstore";
import type {
  ActiveFault,
  DiskEvent,
  SimulatedDisk,
  SimulatedRuntime,
} from "@karst/runtime/testing";
import { type DiskHash, hashOf } from "./disk-hash.ts";
import { Life, mortalStore } from "./life.ts";

/** How a process ends: the power goes, with what was not synced lost at random, or all of it, or none; or it alone is killed. */
export type Ending = "power" | "power-synced" | "power-all" | "kill";

const KEEP = { power: "random", "power-synced": "synced", "power-all": "all" } as const;

/** What a process is given. */
export interface Surroundings {
  /** Of the process: the world counts them from 1. */
  readonly number: number;
  readonly machine: Machine;
  readonly life: Life;
  readonly runtime: SimulatedRuntime;
  readonly store: ObjectStore;
  /** Greatest time of one step of a WAL's device; 0: no time. */
  readonly stepMsMax: number;
  /** For so long its device stands still at its next step, and then not any more; undefined: never. */
  readonly stall?: { ms: number };
}

/** What a machine needs of its world. */
export interface MachineWorld {
  readonly stepMsMax: number;
  /** Far away, shared by all machines; undefined: each has its own, on its disk. */
  readonly store: FaultyObjectStore | undefined;
  /** Resolves when the answer to a get of this key is to come. */
  arrived(key: string): Promise<void>;
  /** Counts a process; returns its number. */
  start(): number;
  /** A crash has left these bytes on a disk. */
  crashed(state: DiskHash): void;
  faulted(what: string): void;
}

/** Where a file store keeps its objects. */
export const STORE_DIRECTORY = "/data/store";

/** A disk, and the processes that use it: one after another, or several. */
export class Machine {
  readonly name: string;
  /** Told of every operation of the disk. */
  onDiskOperation: ((event: DiskEvent) => void) | undefined;
  /** Looks at what the next process is given, or puts something in its place. */
  equip: ((given: Surroundings) => Surroundings) | undefined;
  readonly #world: MachineWorld;
  #runtime: SimulatedRuntime;
  readonly #lives = new Set<Life>();
  #broken: ActiveFault | undefined;
  #badReads: ActiveFault | undefined;
  #trap: { left: number; readonly ending: Ending } | undefined;
  #calls = 0;

  /** @param runtime its first; `disk.onOperation` becomes the machine's. */
  constructor(name: string, runtime: SimulatedRuntime, world: MachineWorld) {
    this.name = name;
    this.#runtime = runtime;
    this.#world = world;
    this.disk.onOperation = (event) => {
      if (event.phase === "before") this.#tick();
      this.onDiskOperation?.(event);
    };
  }

  get disk(): SimulatedDisk {
    return this.#runtime.disk;
  }

  /** Things asked of disk and store so far: every point at which it can be crashed. */
  get calls(): number {
    return this.#calls;
  }

  get isTrapSet(): boolean {
    return this.#trap !== undefined;
  }

  /** What the next process is given. */
  surroundings(): Surroundings {
    const number = this.#world.start();
    this.#runtime = this.#runtime.restart();
    const life = new Life();
    this.#lives.add(life);
    const given: Surroundings = {
      number,
      machine: this,
      life,
      runtime: this.#runtime,
      store: mortalStore(
        this.#store(),
        life,
        () => this.#tick(),
        (key) => this.#world.arrived(key),
      ),
      stepMsMax: this.#world.stepMsMax,
    };
    return this.equip?.(given) ?? given;
  }

  /** Every process of the machine ends. */
  crash(ending: Ending): void {
    this.#trap = undefined;
    for (const life of this.#lives) life.end();
    this.#lives.clear();
    this.#world.faulted(`crash ${this.name} ${ending}`);
    if (ending === "kill") this.disk.kill();
    else this.disk.crash({ keep: KEEP[ending] });
    this.#world.crashed(hashOf(this.disk));
  }

  /** Every process of the machine ends at the `calls`-th thing from now that is asked of its disk or the store, before that is done. */
  crashAfter(calls: number, ending: Ending): void {
    this.#trap = { left: calls, ending };
  }

  /** The directory of a file store cannot be reached, or can be again. */
  breakStore(down: boolean): void {
    this.#broken?.cancel();
    this.#broken = undefined;
    if (!down) return;
    this.#world.faulted("store directory broken");
    this.#broken = this.disk.fault({
      on: ["open", "list", "stat", "link", "rename"],
      path: (path) => path.startsWith(STORE_DIRECTORY),
      effect: "EIO",
      times: Infinity,
    });
  }

  /** Some reads of the objects of a file store fail, or none does any more. */
  spoilReads(probability: number): void {
    this.#badReads?.cancel();
    this.#badReads = undefined;
    if (probability === 0) return;
    this.#badReads = this.disk.fault({
      on: ["open", "read"],
      path: (path) => path.startsWith(`${STORE_DIRECTORY}/objects`),
      effect: "EIO",
      times: Infinity,
      probability,
    });
  }

  /** Its faults stop. */
  heal(): void {
    this.#trap = undefined;
    this.#broken = undefined;
    this.#badReads = undefined;
    this.disk.clearFaults();
    this.disk.capacityBytes = Infinity;
  }

  #store(): ObjectStore {
    if (this.#world.store !== undefined) return this.#world.store;
    const { files, random } = this.#runtime;
    return fileObjectStore({ files, random: random.fork("store"), directory: STORE_DIRECTORY });
  }

  #tick(): void {
    this.#calls += 1;
    const trap = this.#trap;
    if (trap === undefined) return;
    trap.left -= 1;
    if (trap.left <= 0) this.crash(trap.ending);
  }
}
