import type { DiskEvent, SimulatedDisk } from "@karst/runtime/testing";

/** A handle goes by the name that the file had when it was opened. */
const SEGMENT = /^(.*\/)(?:temporary-)?(segment-(\d+)-\d+)$/;
const FENCE = /\/fence-\d+$/;

/** Knows of each segment whether a later claim's fence stood when it was synced last. */
export class FenceWatch {
  readonly #disk: SimulatedDisk;
  /** That were there at some time. */
  readonly #fences = new Set<string>();
  readonly #fenced = new Set<string>();

  constructor(disk: SimulatedDisk) {
    this.#disk = disk;
  }

  saw({ phase, operation, path, mode, error }: DiskEvent): void {
    if (phase === "before" || error !== undefined) return;
    if (operation === "open" && mode === "create" && FENCE.test(path)) this.#fences.add(path);
    if (operation !== "datasync") return;
    const [, directory, name = "", epoch] = SEGMENT.exec(path) ?? [];
    if (epoch === undefined) return;
    const successor = `${directory}fence-${Number(epoch) + 1}`;
    // A crash may have undone it.
    const isFenced = this.#fences.has(successor) && this.#disk.listAll().includes(successor);
    if (isFenced) this.#fenced.add(name);
    else this.#fenced.delete(name);
  }

  wasFenced(segmentPath: string): boolean {
    return this.#fenced.has(segmentPath.slice(segmentPath.lastIndexOf("/") + 1));
  }
}
