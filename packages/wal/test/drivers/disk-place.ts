import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryBudget, type Runtime, SlabPool } from "@karst/runtime";
import { nodeRuntime } from "@karst/runtime/node";
import { ManualClock, recordingLogger } from "@karst/runtime/testing";
import { fileWal, type HolderProbe, type SegmentDevice, type WalLimits } from "@karst/wal";
import type { WalCapabilities, WalPlace, WalProcess } from "@karst/wal/conformance";
import { Holders } from "../simulated-place.ts";

export type MakeDevice = (
  directory: string,
  options: { readonly holder?: HolderProbe },
) => SegmentDevice;

/** A directory of this machine, and WALs in it. Time stands still but for what a test lets pass. */
export class DiskPlace implements WalPlace {
  readonly directory: string;
  readonly #clock = new ManualClock({ autoDefer: true });
  readonly #runtime: Runtime;
  readonly #make: MakeDevice;
  readonly #limits: Partial<WalLimits>;

  constructor(make: MakeDevice, limits: Partial<WalLimits>) {
    this.directory = mkdtempSync(join(tmpdir(), "karst-wal-"));
    this.#make = make;
    this.#limits = limits;
    this.#runtime = nodeRuntime({ clock: this.#clock, log: recordingLogger() });
  }

  /** With the machine's own idea of who lives. */
  start(): WalProcess {
    return this.process(() => ({}));
  }

  process(options: () => { readonly holder?: HolderProbe }): WalProcess {
    const budget = new MemoryBudget(64 * 1024 * 1024);
    const slabs = new SlabPool({ budget, slabBytes: 16 * 1024, poison: true });
    const device = () => this.#make(join(this.directory, "wal"), options());
    return {
      factory: fileWal({ device, runtime: this.#runtime, slabs, limits: this.#limits }),
      slabs,
      heldBytes: () => budget.reservedBytes,
    };
  }

  advance(ms: number): Promise<void> {
    return this.#clock.advance(ms);
  }

  async dispose(): Promise<void> {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export const diskCapabilities: WalCapabilities = {
  neighbour: (place) => place.start(),
  rival: (place) => {
    const holders = new Holders();
    return (place as DiskPlace).process(() => ({ holder: holders.probe() }));
  },
  storedBytes: (place) => {
    const directory = join((place as DiskPlace).directory, "wal");
    return readdirSync(directory).reduce(
      (sum, name) => sum + statSync(join(directory, name)).size,
      0,
    );
  },
};
