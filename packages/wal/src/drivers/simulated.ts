import type { BlockingFiles, Clock } from "@karst/runtime";
import type { DirectoryEntry } from "@karst/runtime";
import { type DeviceFiles, DeviceSteps, type Steps } from "../device/steps.ts";
import type {
  HolderProbe,
  NewSegment,
  SegmentDevice,
  SegmentWrite,
  SmallFile,
} from "../segment-device.ts";

export interface SimulatedDeviceOptions {
  /** A simulated disk's, of the life that the device is to live in. */
  readonly files: BlockingFiles;
  readonly directory: string;
  readonly clock: Clock;
  /** Milliseconds until the next step; default: each step is a deferred call. */
  readonly stepMs?: () => number;
  readonly blocking?: boolean;
  /** Default: one that takes every other holder for dead. */
  readonly holder?: HolderProbe;
}

/**
 * A WAL's directory on a simulated disk. Each step (write, sync, fence check, naming) is an event of its own on the clock, so
 * that a crash, or another process, may come between any two.
 */
export function simulatedDevice(options: SimulatedDeviceOptions): SegmentDevice {
  return new SimulatedDevice(options);
}

class SimulatedDevice implements SegmentDevice {
  readonly location: string;
  readonly blocking: boolean;
  readonly holder: HolderProbe;
  readonly #options: SimulatedDeviceOptions;
  readonly #steps: DeviceSteps;

  constructor(options: SimulatedDeviceOptions) {
    this.#options = options;
    this.location = options.directory;
    this.blocking = options.blocking ?? false;
    this.holder = options.holder ?? solitary;
    this.#steps = new DeviceSteps(withExists(options.files), options.directory);
  }

  async list(): Promise<readonly DirectoryEntry[]> {
    await this.#event();
    return this.#steps.list();
  }

  async readSmall(name: string): Promise<Uint8Array | undefined> {
    await this.#event();
    return this.#steps.readSmall(name);
  }

  replaceSmall(file: SmallFile): Promise<void> {
    return this.#run(this.#steps.replaceSmall(file));
  }

  createFence(epoch: number): Promise<void> {
    return this.#run(this.#steps.createFence(epoch));
  }

  create(segment: NewSegment): Promise<void> {
    return this.#run(this.#steps.create(segment));
  }

  recycle(from: string, segment: NewSegment): Promise<void> {
    return this.#run(this.#steps.recycle(from, segment));
  }

  write(write: SegmentWrite): Promise<void> {
    return this.#run(this.#steps.write(write));
  }

  async read(name: string, position: number, into: Uint8Array): Promise<number> {
    await this.#event();
    return this.#steps.read(name, position, into);
  }

  async size(name: string): Promise<number> {
    await this.#event();
    return this.#steps.size(name);
  }

  remove(names: readonly string[]): Promise<void> {
    return this.#run(this.#steps.remove(names));
  }

  async close(): Promise<void> {
    await this.#event();
    this.#steps.close();
  }

  async #run(steps: Steps<void>): Promise<void> {
    do await this.#event();
    while (steps.next().done !== true);
  }

  #event(): Promise<void> {
    const { clock, stepMs } = this.#options;
    return new Promise((resolve) => {
      if (stepMs === undefined) clock.defer(resolve);
      else clock.setTimer(stepMs(), resolve);
    });
  }
}

const solitary: HolderProbe = {
  self: "simulated",
  isAlive: () => false,
  begin: () => undefined,
  end: () => undefined,
};

function withExists(files: BlockingFiles): DeviceFiles {
  return {
    open: (path, mode) => files.open(path, mode),
    list: (path) => files.list(path),
    makeDirectory: (path) => files.makeDirectory(path),
    rename: (from, to) => files.rename(from, to),
    remove: (path) => files.remove(path),
    syncDirectory: (path) => files.syncDirectory(path),
    exists: (path) => {
      const slash = path.lastIndexOf("/");
      return files.list(path.slice(0, slash)).some((entry) => entry.name === path.slice(slash + 1));
    },
  };
}
