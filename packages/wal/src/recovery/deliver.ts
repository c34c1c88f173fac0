import type { SlabPool } from "@karst/runtime";
import { walError } from "../errors.ts";
import { GROUP_HEADER_BYTES, readGroupHeader, walkFrames } from "../format/group.ts";
import { SEGMENT_HEADER_BYTES } from "../format/segment-header.ts";
import { memoryOf } from "../group-buffer.ts";
import type { SegmentDevice } from "../segment-device.ts";
import type { RecoveredFrame, WalPosition } from "../wal.ts";
import type { ScannedGroup, ScannedSegment } from "./scan.ts";

/**
 * Reads groups again, straight into slabs, verifies them once more, and hands over their frames that end above `trim`.
 * Each frame comes with a reference of its slab.
 *
 * @param groups of one segment, consecutive.
 * @throws KarstError `WAL_CORRUPT`: the file says something else than a moment ago; `MEMORY_BUDGET_EXCEEDED`.
 */
export async function deliverGroups(options: {
  readonly device: SegmentDevice;
  readonly slabs: SlabPool;
  readonly segment: ScannedSegment;
  readonly groups: readonly ScannedGroup[];
  readonly trim: number;
  readonly onFrame: (frame: RecoveredFrame) => void;
}): Promise<void> {
  const { device, slabs, segment, trim } = options;
  const groups = options.groups.filter(
    (group) => group.end > trim && group.end - group.base > GROUP_HEADER_BYTES,
  );
  for (let next = 0; next < groups.length;) {
    const from = (groups[next] as ScannedGroup).base;
    const slab = slabs.acquire((groups[next] as ScannedGroup).end - from);
    try {
      let count = 1;
      while (
        next + count < groups.length &&
        (groups[next + count] as ScannedGroup).end - from <= slab.bytes.length
      )
        count += 1;
      const batch = groups.slice(next, next + count);
      next += count;
      const length = (batch.at(-1) as ScannedGroup).end - from;
      const read = await device.read(
        segment.name,
        SEGMENT_HEADER_BYTES + from - segment.base,
        slab.bytes.subarray(0, length),
      );
      const memory = memoryOf(slab.bytes.subarray(0, length));
      for (const group of batch) {
        const at = group.base - from;
        const header = readGroupHeader(memory, at, group.base, segment.seed);
        const whole =
          read === length &&
          header !== undefined &&
          header.end === group.end &&
          walkFrames(
            memory,
            at,
            header,
            segment.seed,
            ({ payloadAt, payloadEnd, end: _end, ...fields }, start, end) => {
              if (end <= trim) return;
              slab.retain();
              const payload = slab.bytes.subarray(payloadAt, payloadEnd);
              options.onFrame({
                ...fields,
                payload,
                slab,
                start: start as WalPosition,
                end: end as WalPosition,
              });
            },
          );
        if (!whole) {
          const position = SEGMENT_HEADER_BYTES + group.base - segment.base;
          throw walError(
            "WAL_CORRUPT",
            `${device.location}/${segment.name} has changed at position ${position} while it was read`,
          );
        }
      }
    } finally {
      slab.release();
    }
  }
}
