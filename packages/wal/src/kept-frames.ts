import type { KarstError, Logger } from "@karst/runtime";
import { walError } from "./errors.ts";
import { readStoredFrame, type StoredSegment } from "./read-frame.ts";
import type { SegmentDevice } from "./segment-device.ts";
import type { SegmentPlan } from "./segment-plan.ts";
import type { Frame } from "./wal.ts";

export interface KeptFramesOptions {
  readonly device: SegmentDevice;
  readonly log: Logger;
  readonly plan: SegmentPlan;
  /** Segments of older epochs that still hold frames, oldest first. */
  readonly older: readonly StoredSegment[];
  readonly trim: number;
}

/**
 * The frames that are on the disk from the trim on: reading them, and removing the segments of those below it.
 *
 * Invariants: the trim only grows. A segment is taken off before its file is removed, and what is read of one that went meanwhile
 * counts as trimmed.
 */
export class KeptFrames {
  readonly #options: KeptFramesOptions;
  #older: readonly StoredSegment[];
  #trimmed: number;
  /** On their way. */
  readonly #reads = new Set<Promise<Frame>>();
  /** Settles with the last removal, and never rejects. */
  #removing: Promise<unknown> = Promise.resolve();

  constructor(options: KeptFramesOptions) {
    this.#options = options;
    this.#older = options.older;
    this.#trimmed = options.trim;
  }

  /** @throws KarstError `WAL_POSITION_UNKNOWN` (`out_of_range`), `WAL_CORRUPT` (`corrupt`). */
  async read(start: number): Promise<Frame> {
    const segment =
      start < this.#trimmed
        ? undefined
        : this.#segments().find(({ base, end }) => start >= base && start < end);
    if (segment === undefined) throw unknownPosition(start);
    const read = readStoredFrame(this.#options.device, segment, start);
    this.#reads.add(read);
    try {
      return await read;
    } catch (error) {
      throw start < this.#trimmed ? unknownPosition(start) : error;
    } finally {
      this.#reads.delete(read);
    }
  }

  /** Resolves when the files that nothing above `position` is in are gone, or could not be removed. */
  async trim(position: number): Promise<void> {
    const { device, log, plan } = this.#options;
    this.#trimmed = Math.max(this.#trimmed, position);
    const removable = [
      ...this.#older.filter(({ end }) => end < this.#trimmed),
      ...plan.release(this.#trimmed),
    ];
    this.#older = this.#older.filter(({ end }) => end >= this.#trimmed);
    if (removable.length === 0) return;
    try {
      const removing = device.remove(removable.map(({ name }) => name));
      this.#removing = Promise.allSettled([this.#removing, removing]);
      await removing;
    } catch (error) {
      // They are below the trim wherever it is looked at, and the next opening removes them.
      log.warn("wal-segments-not-removed", { count: removable.length, reason: String(error) });
    }
  }

  /** Resolves when the device does nothing for this any more. Never rejects. */
  async settled(): Promise<void> {
    await this.#removing;
    await Promise.allSettled(this.#reads);
  }

  /** Every segment that may hold frames, oldest first. */
  #segments(): StoredSegment[] {
    const own = this.#options.plan.segments.map(({ name, base, capacity, seed }) => ({
      name,
      base,
      end: base + capacity,
      seed,
    }));
    return [...this.#older, ...own];
  }
}

export function unknownPosition(position: number): KarstError {
  return walError("WAL_POSITION_UNKNOWN", `the WAL holds no frame at position ${position}`);
}
