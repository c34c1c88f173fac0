import { MemoryBudget, SlabPool } from "@karst/runtime";
import {
  type SimulatedRuntime,
  simulatedRuntime,
  type SimulatedRuntimeOptions,
} from "@karst/runtime/testing";
import { fileWal, type HolderProbe, simulatedDevice, type WalLimits } from "@karst/wal";
import type { WalCapabilities, WalPlace, WalProcess } from "@karst/wal/conformance";

export const DIRECTORY = "/data/wal";

/** Watches over who lives in one simulated world. */
export class Holders {
  readonly #living = new Set<string>();
  #count = 0;

  probe(): HolderProbe {
    this.#count += 1;
    const self = `holder ${this.#count}`;
    return {
      self,
      isAlive: (line) => this.#living.has(line),
      begin: () => void this.#living.add(self),
      end: () => void this.#living.delete(self),
    };
  }

  /** Everyone is dead. */
  clear(): void {
    this.#living.clear();
  }
}

/** A world with a simulated disk, and processes in it that have a WAL each. */
export class SimulatedPlace implements WalPlace {
  runtime: SimulatedRuntime;
  /** Of the next step of a device; undefined: no time. */
  stepMs: (() => number) | undefined;
  readonly #limits: Partial<WalLimits>;
  readonly #holders = new Holders();

  constructor(limits: Partial<WalLimits>, options: Partial<SimulatedRuntimeOptions> = {}) {
    this.runtime = simulatedRuntime({ seed: 1, autoDefer: true, ...options });
    this.#limits = limits;
  }

  start(): WalProcess {
    return this.process(this.#holders);
  }

  process(holders: Holders): WalProcess {
    const { runtime } = this;
    const budget = new MemoryBudget(64 * 1024 * 1024);
    const slabs = new SlabPool({ budget, slabBytes: 16 * 1024, poison: true });
    const device = () =>
      simulatedDevice({
        files: runtime.blocking,
        directory: DIRECTORY,
        clock: runtime.clock,
        holder: holders.probe(),
        ...(this.stepMs !== undefined && { stepMs: this.stepMs }),
      });
    return {
      factory: fileWal({ device, runtime, slabs, limits: this.#limits }),
      slabs,
      heldBytes: () => budget.reservedBytes,
    };
  }

  /** The next process, after the disk's life has ended. */
  restart(): WalProcess {
    this.runtime.clock.clear();
    this.#holders.clear();
    this.runtime = this.runtime.restart();
    return this.start();
  }

  advance(ms: number): Promise<void> {
    return this.runtime.clock.advance(ms);
  }

  async dispose(): Promise<void> {}
}

export const simulatedCapabilities: WalCapabilities = {
  kill: of((place) => {
    place.runtime.disk.kill();
    return place.restart();
  }),
  crash: of((place) => {
    place.runtime.disk.crash();
    return place.restart();
  }),
  rival: of((place) => place.process(new Holders())),
  neighbour: of((place) => place.start()),
  failNextSync: of((place) => {
    const { disk } = place.runtime;
    // Only of segments that have their name: a handle goes by the name that the file was created with.
    const isWritten = (path: string): boolean =>
      disk.listAll().includes(path.replace("temporary-segment-", "segment-"));
    disk.fault({ on: "datasync", path: isWritten, effect: "lost-sync" });
  }),
  setFull: (place, full) => {
    const { disk } = (place as SimulatedPlace).runtime;
    disk.capacityBytes = full ? 0 : Infinity;
  },
  writes: of((place) => place.runtime.disk.operations("write")),
  storedBytes: of((place) => place.runtime.disk.usedBytes),
};

function of<T>(body: (place: SimulatedPlace) => T): (place: WalPlace) => T {
  return (place) => body(place as SimulatedPlace);
}
