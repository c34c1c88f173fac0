import {
  assert,
  type Clock,
  hasCode,
  type KarstError,
  type Logger,
  type Random,
  type Timer,
} from "@karst/runtime";
import { walError } from "./errors.ts";
import { GROUP_HEADER_BYTES } from "./format/group.ts";
import { segmentName } from "./format/names.ts";
import {
  encodeSegmentHeader,
  SALT_BYTES,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  segmentSeed,
} from "./format/segment-header.ts";
import { PREPARED_AHEAD_MAX, RECYCLED_MAX, type WalLimits } from "./limits.ts";
import type { NewSegment, SegmentDevice } from "./segment-device.ts";

/** A segment of this instance. `used` counts the capacity's bytes given to groups. */
export interface PlannedSegment {
  readonly name: string;
  readonly base: number;
  readonly capacity: number;
  readonly header: Omit<SegmentHeader, "recycled">;
  readonly seed: number;
  state: "planned" | "preparing" | "ready";
  used: number;
  /** Too small for the group that came when it was next: it stays empty. */
  passedOver: boolean;
}

/** Each segment keeps room for one mark, so that an idle log never needs a further segment. */
const MARK_BYTES = GROUP_HEADER_BYTES;

export interface SegmentPlanOptions {
  readonly device: SegmentDevice;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly limits: WalLimits;
  readonly walId: string;
  readonly epoch: number;
  /** Base of the epoch's first segment. */
  readonly epochBase: number;
  /** A segment has become ready. */
  readonly onPrepared: () => void;
  /** A segment could not be prepared; it is tried again later. */
  readonly onRefused: () => void;
  /** A later claim was found while preparing. */
  readonly onFenced: (error: KarstError) => void;
}

/**
 * The segments of one instance: which group goes where, and the preparing of segments ahead of the groups.
 *
 * - Segments tile the position space from epochBase on, and are prepared one at a time, in order.
 * - Positions are given ahead of preparation, but not while the disk refuses to hold more (`WAL_FULL`).
 * - A segment that a group does not fit into is passed over, whatever room it has.
 */
export class SegmentPlan {
  readonly #options: SegmentPlanOptions;
  /** Ascending; none is forgotten before it is removed. */
  readonly #segments: PlannedSegment[] = [];
  /** Index of the segment that takes the next group. */
  #current = 0;
  /** Index of the segment that was last written. */
  #written = 0;
  /** Trimmed, and still there under their old names. */
  readonly #recyclable: PlannedSegment[] = [];
  #failure:
    | { readonly error: unknown; readonly atMs: number; readonly pauseMs: number }
    | undefined;
  #retry: Timer | undefined;
  #preparing: Promise<void> | undefined;
  #closed = false;

  constructor(options: SegmentPlanOptions) {
    this.#options = options;
  }

  /** Creates the epoch's first segment, for a first group of `groupBytes`. Rejects with what the device says. */
  async start(groupBytes: number): Promise<PlannedSegment> {
    const { limits, device } = this.#options;
    const wanted = Math.min(limits.firstSegmentBytes, limits.segmentBytes);
    const segment = this.#plan(Math.max(wanted, groupBytes + MARK_BYTES));
    segment.state = "preparing";
    await device.create(newSegment(segment, false));
    segment.state = "ready";
    segment.used = groupBytes;
    return segment;
  }

  get segments(): readonly PlannedSegment[] {
    return this.#segments;
  }

  /** The segment of the next group or mark. */
  get current(): PlannedSegment {
    return this.#segments[this.#current] as PlannedSegment;
  }

  /**
   * Chooses the segment for a new group of at least `groupBytes`, and makes it the current one.
   *
   * @throws KarstError `WAL_FULL` (`unavailable`), with nothing changed.
   */
  place(groupBytes: number): PlannedSegment {
    let index = this.#current;
    while (
      index < this.#segments.length &&
      !fits(this.#segments[index] as PlannedSegment, groupBytes)
    )
      index += 1;
    const known = this.#segments[index];
    if (known?.state !== "ready") this.#checkSpace();
    const chosen = known ?? this.#planFor(groupBytes);
    if (chosen !== this.current) {
      this.#current = this.#segments.indexOf(chosen);
      for (const segment of this.#segments)
        if (segment.base < chosen.base && segment.used === 0) segment.passedOver = true;
    }
    if (chosen === this.#segments.at(-1)) this.#plan(this.#options.limits.segmentBytes);
    this.#prepare();
    return chosen;
  }

  /** Bytes that a group, which must be the last one placed, may grow to in its segment. */
  roomFor(group: { readonly segment: PlannedSegment }): number {
    const { capacity, used } = group.segment;
    return capacity - used - MARK_BYTES;
  }

  /** A group goes to the disk, into `segment`. */
  writing(segment: PlannedSegment): void {
    if (segment === this.#segments[this.#written]) return;
    this.#written = this.#segments.indexOf(segment);
    this.#options.log.debug("wal-segment-rolled", { name: segment.name, base: segment.base });
    this.#prepare();
  }

  /** Takes the segments that end below `position` out of the plan; returns those that are to be removed. */
  release(position: number): PlannedSegment[] {
    let count = 0;
    while (endOf(this.#segments[count] as PlannedSegment) < position) count += 1;
    assert(count <= this.#written, "groups still go to a segment that is to be removed");
    const released = this.#segments.splice(0, count);
    this.#current -= count;
    this.#written -= count;
    const room = RECYCLED_MAX - this.#recyclable.length;
    const kept = released
      .filter(({ capacity }) => capacity === this.#options.limits.segmentBytes)
      .slice(0, room);
    this.#recyclable.push(...kept);
    return released.filter((segment) => !kept.includes(segment));
  }

  /** Why no segment can be prepared at present. */
  get failure(): unknown {
    return this.#failure?.error;
  }

  /** Stops preparing; resolves when the device does nothing for the plan any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    await this.#preparing;
  }

  #plan(capacity: number): PlannedSegment {
    const { walId, epoch, epochBase, random } = this.#options;
    const last = this.#segments.at(-1);
    const base = last === undefined ? epochBase : last.base + last.capacity;
    const salt = random.bytes(SALT_BYTES);
    const header = { walId, epoch, base, epochBase, capacity, salt };
    const segment: PlannedSegment = {
      name: segmentName(epoch, base),
      base,
      capacity,
      header,
      seed: segmentSeed(encodeSegmentHeader({ ...header, recycled: false })),
      state: "planned",
      used: 0,
      passedOver: false,
    };
    this.#segments.push(segment);
    return segment;
  }

  /** A segment with room for a group that none of the known ones has room for. */
  #planFor(groupBytes: number): PlannedSegment {
    const last = this.#segments.at(-1);
    if (last?.state === "planned" && last.used === 0 && last !== this.current) this.#segments.pop();
    return this.#plan(Math.max(this.#options.limits.segmentBytes, groupBytes + MARK_BYTES));
  }

  #checkSpace(): void {
    const failure = this.#failure;
    if (failure === undefined) return;
    // An append is a good moment to look again, but not each of many.
    const { clock, limits } = this.#options;
    if (clock.monotonicMs() - failure.atMs >= limits.prepareRetryMs) this.#tryAgain();
    throw walError(
      "WAL_FULL",
      "no prewritten space is left in the WAL, and no segment can be prepared",
      failure.error,
    );
  }

  #tryAgain(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#prepare();
  }

  /** Starts preparing unless that is running, waiting for its next attempt, or has nothing to do. */
  #prepare(): void {
    if (this.#preparing !== undefined || this.#retry !== undefined || this.#closed) return;
    const candidate = this.#segments.find((segment) => segment.state === "planned");
    const ahead = this.#segments.filter(
      (segment, i) => i > this.#written && segment.state === "ready" && !segment.passedOver,
    );
    if (candidate === undefined || ahead.length >= PREPARED_AHEAD_MAX) return;
    this.#preparing = this.#prepareOne(candidate);
  }

  /** Never rejects. */
  async #prepareOne(segment: PlannedSegment): Promise<void> {
    segment.state = "preparing";
    try {
      await this.#make(segment);
    } catch (error) {
      segment.state = "planned";
      this.#preparing = undefined;
      this.#failed(segment, error);
      return;
    }
    segment.state = "ready";
    this.#preparing = undefined;
    if (this.#failure !== undefined)
      this.#options.log.info("wal-space-back", { segment: segment.name });
    this.#failure = undefined;
    this.#prepare();
    if (!this.#closed) this.#options.onPrepared();
  }

  /** From a trimmed segment of the same size where there is one: half the writing, and its pages are in memory. */
  async #make(segment: PlannedSegment): Promise<void> {
    const { device, log } = this.#options;
    const index = this.#recyclable.findIndex(({ capacity }) => capacity === segment.capacity);
    const [old] = index < 0 ? [] : this.#recyclable.splice(index, 1);
    if (old !== undefined) {
      try {
        await device.recycle(old.name, newSegment(segment, true));
        return;
      } catch (error) {
        if (hasCode(error, "WAL_FENCED")) throw error;
        log.warn("wal-segment-not-recycled", { segment: old.name, reason: String(error) });
      }
    }
    await device.create(newSegment(segment, false));
  }

  #failed(segment: PlannedSegment, error: unknown): void {
    if (this.#closed) return;
    if (hasCode(error, "WAL_FENCED")) {
      this.#options.onFenced(error);
      return;
    }
    const { clock, limits, log } = this.#options;
    const pauseMs = Math.min(
      (this.#failure?.pauseMs ?? limits.prepareRetryMs / 2) * 2,
      limits.prepareRetryMaxMs,
    );
    if (this.#failure === undefined)
      log.error("wal-segment-not-prepared", { segment: segment.name, reason: String(error) });
    this.#failure = { error, atMs: clock.monotonicMs(), pauseMs };
    this.#retry = clock.setTimer(pauseMs, () => this.#tryAgain());
    this.#options.onRefused();
  }
}

function fits(segment: PlannedSegment, groupBytes: number): boolean {
  return segment.used + groupBytes + MARK_BYTES <= segment.capacity;
}

function endOf(segment: PlannedSegment): number {
  return segment.base + segment.capacity;
}

function newSegment({ name, header, capacity }: PlannedSegment, recycled: boolean): NewSegment {
  const bytes = encodeSegmentHeader({ ...header, recycled });
  return { name, header: bytes, fileBytes: SEGMENT_HEADER_BYTES + capacity, epoch: header.epoch };
}
