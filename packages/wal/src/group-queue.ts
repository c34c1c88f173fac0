import type { SlabPool } from "@karst/runtime";
import { GROUP_HEADER_BYTES } from "./format/group.ts";
import { type Group, GroupBuffer } from "./group-buffer.ts";
import type { WalLimits } from "./limits.ts";
import type { SegmentPlan } from "./segment-plan.ts";

/**
 * Groups that wait to be written, in order; the last one may still take frames.
 *
 * Invariant: holds a reference of each waiting group's slab, and gives it over with the group.
 */
export class GroupQueue {
  readonly #plan: SegmentPlan;
  readonly #buffer: GroupBuffer;
  /** Takes frames; always the last one begun. */
  #open: Group | undefined;
  readonly #sealed: Group[] = [];

  constructor(plan: SegmentPlan, slabs: SlabPool, limits: WalLimits) {
    this.#plan = plan;
    this.#buffer = new GroupBuffer(slabs, limits);
  }

  /** The open group if a frame of `frameBytes` may join it, else a new one. Takes nothing when it throws. */
  groupFor(frameBytes: number): Group {
    const open = this.#open;
    if (open !== undefined) {
      if (this.#buffer.admits(open, frameBytes, this.#plan.roomFor(open))) return open;
      this.#seal(open);
    }
    const groupBytes = GROUP_HEADER_BYTES + frameBytes;
    this.#buffer.reserve(groupBytes);
    const group = this.#buffer.begin(this.#plan.place(groupBytes));
    this.#open = group;
    return group;
  }

  /** Whether there is a first group, and its segment is prepared. */
  get isReady(): boolean {
    return this.#first?.segment.state === "ready";
  }

  /** Whether the first group takes no more frames. */
  get isComplete(): boolean {
    return this.#sealed.length > 0;
  }

  /** Of the first group. */
  get nextBytes(): number {
    return this.#first?.length ?? 0;
  }

  /** Takes the first group out, complete. */
  take(): Group | undefined {
    if (this.#sealed.length === 0 && this.#open !== undefined) this.#seal(this.#open);
    return this.#sealed.shift();
  }

  /** Lets go of everything. */
  close(): void {
    for (const group of this.#sealed.splice(0)) group.slab.release();
    this.#open?.slab.release();
    this.#open = undefined;
    this.#buffer.close();
  }

  get #first(): Group | undefined {
    return this.#sealed[0] ?? this.#open;
  }

  #seal(group: Group): void {
    group.segment.used += group.length;
    this.#buffer.complete(group);
    this.#sealed.push(group);
    this.#open = undefined;
  }
}
