import { resolve } from "node:path";
import { DeviceSteps, type DeviceFiles, type Steps } from "../device/steps.ts";
import type {
  HolderProbe,
  NewSegment,
  SegmentDevice,
  SegmentWrite,
  SmallFile,
} from "../segment-device.ts";
import { nodeDeviceFiles } from "./node-files.ts";
import { nodeHolder } from "./node-holder.ts";

/**
 * A WAL's directory, by blocking calls in this thread: the shortest way to the disk for a process that has nothing else to do
 * meanwhile, and the twin of the worker's.
 */
export function inlineDevice(
  directory: string,
  options: { readonly holder?: HolderProbe } = {},
): SegmentDevice {
  return new InlineDevice(resolve(directory), nodeDeviceFiles, options.holder ?? nodeHolder());
}

class InlineDevice implements SegmentDevice {
  readonly location: string;
  readonly blocking = true;
  readonly holder: HolderProbe;
  readonly #steps: DeviceSteps;

  constructor(directory: string, files: DeviceFiles, holder: HolderProbe) {
    this.location = directory;
    this.holder = holder;
    this.#steps = new DeviceSteps(files, directory);
  }

  // Each of these runs to its end at once; `async` only turns what it throws into a rejection.
  async list(): ReturnType<SegmentDevice["list"]> {
    return this.#steps.list();
  }

  async readSmall(name: string): Promise<Uint8Array | undefined> {
    return this.#steps.readSmall(name);
  }

  async replaceSmall(file: SmallFile): Promise<void> {
    runThrough(this.#steps.replaceSmall(file));
  }

  async createFence(epoch: number): Promise<void> {
    runThrough(this.#steps.createFence(epoch));
  }

  async create(segment: NewSegment): Promise<void> {
    const steps = this.#steps.create(segment);
    while (steps.next().done !== true) await nextTurn();
  }

  async recycle(from: string, segment: NewSegment): Promise<void> {
    runThrough(this.#steps.recycle(from, segment));
  }

  async write(write: SegmentWrite): Promise<void> {
    runThrough(this.#steps.write(write));
  }

  async read(name: string, position: number, into: Uint8Array): Promise<number> {
    return this.#steps.read(name, position, into);
  }

  async size(name: string): Promise<number> {
    return this.#steps.size(name);
  }

  async remove(names: readonly string[]): Promise<void> {
    runThrough(this.#steps.remove(names));
  }

  async close(): Promise<void> {
    this.#steps.close();
  }
}

function runThrough(steps: Steps<void>): void {
  while (steps.next().done !== true);
}

function nextTurn(): Promise<void> {
  return new Promise((settle) => {
    setImmediate(settle);
  });
}
