import type { DiskTurns } from "@karst/runtime";
import { GROUP_HEADER_BYTES, groupSeed, writeGroupHeader } from "./format/group.ts";
import { SEGMENT_HEADER_BYTES } from "./format/segment-header.ts";
import { finishGroup, type Group, memoryOf } from "./group-buffer.ts";
import type { SegmentDevice } from "./segment-device.ts";
import type { PlannedSegment, SegmentPlan } from "./segment-plan.ts";

export interface GroupWriterOptions {
  readonly device: SegmentDevice;
  readonly plan: SegmentPlan;
  readonly turns: DiskTurns;
  readonly epoch: number;
  /** End of the epoch's first group, which is durable. */
  readonly end: number;
}

/**
 * Completes groups with their headers, and writes them.
 *
 * Invariants: one write is in flight at a time. Sequence numbers have no gaps. Each group's watermark is the end of the group
 * before it, which is durable by then: the caller writes nothing after a failure.
 */
export class GroupWriter {
  readonly #options: GroupWriterOptions;
  /** For groups without frames. */
  readonly #mark = memoryOf(new Uint8Array(new SharedArrayBuffer(GROUP_HEADER_BYTES)));
  #sequence = 1;
  #watermark: number;

  constructor(options: GroupWriterOptions) {
    this.#options = options;
    this.#watermark = options.end;
  }

  /** Resolves when the group is durable, and nobody had succeeded this epoch after that. The group's slab is borrowed until then. */
  async writeGroup(group: Group): Promise<void> {
    this.#sequence += 1;
    const bytes = finishGroup(group, { sequence: this.#sequence, watermark: this.#watermark });
    await this.#write(group.segment, group.base, bytes);
  }

  /** Writes a group without frames behind the last one, in the same segment, which has room for it. */
  async writeMark(): Promise<void> {
    const segment = this.#options.plan.current;
    const { seed } = segment;
    const base = segment.base + segment.used;
    segment.used += GROUP_HEADER_BYTES;
    this.#sequence += 1;
    const end = base + GROUP_HEADER_BYTES;
    const [sequence, watermark] = [this.#sequence, this.#watermark];
    const framesCrc = groupSeed(seed, base);
    writeGroupHeader(
      this.#mark,
      0,
      { base, end, sequence, watermark, frameCount: 0, framesCrc },
      seed,
    );
    await this.#write(segment, base, this.#mark.bytes);
  }

  async #write(segment: PlannedSegment, base: number, bytes: Uint8Array): Promise<void> {
    const { device, plan, turns, epoch } = this.#options;
    plan.writing(segment);
    const position = SEGMENT_HEADER_BYTES + base - segment.base;
    await turns.urgent(() => device.write({ name: segment.name, position, bytes, epoch }));
    this.#watermark = base + bytes.length;
  }
}
