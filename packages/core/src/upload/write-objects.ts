import type { Logger } from "@karst/runtime";
import type { ObjectStore } from "@karst/objectstore";
import { type ObjectId, objectRow } from "../catalogue/rows/object-row.ts";
import type { ObjectRange } from "../catalogue/rows/range-table.ts";
import { type BlockEntry } from "../format/object-index.ts";
import { UINT32_MAX } from "../format/object-layout.ts";
import { encodeObject } from "../format/object-writer.ts";
import { OBJECT_PUTS_MAX } from "../limits.ts";
import type { PlannedObject } from "./plan.ts";
import type { WrittenObject } from "./publish.ts";
import { putObject } from "./put-object.ts";
import type { Retry } from "./retry.ts";

export interface WriteObjectsOptions {
  readonly store: ObjectStore;
  readonly blockBytes: number;
  /** Mints ids in dispatch order. */
  readonly nextId: () => ObjectId;
  readonly retry: () => Retry;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Encodes and writes the objects of one upload, a few at a time.
 *
 * @throws as `putObject`, once nothing of it is in flight any more.
 */
export async function writeObjects(
  planned: readonly PlannedObject[],
  options: WriteObjectsOptions,
): Promise<readonly WrittenObject[]> {
  const written: WrittenObject[] = [];
  const waiting = planned.entries();
  const writeNext = async (): Promise<void> => {
    for (const [i, plan] of waiting)
      written[i] = await writeObject(plan, options.nextId(), options);
  };
  const lanes = await Promise.allSettled(
    Array.from({ length: Math.min(OBJECT_PUTS_MAX, planned.length) }, writeNext),
  );
  for (const lane of lanes) if (lane.status === "rejected") throw lane.reason;
  return written;
}

async function writeObject(
  plan: PlannedObject,
  id: ObjectId,
  options: WriteObjectsOptions,
): Promise<WrittenObject> {
  const object = encodeObject(plan.streams, { blockBytes: options.blockBytes });
  await putObject(options.store, objectRow.key(id), object, {
    retry: options.retry(),
    log: options.log,
    signal: options.signal,
  });
  return {
    id,
    kind: plan.kind,
    bytes: object.bytes,
    indexPosition: object.indexPosition,
    indexBytes: object.indexBytes,
    ranges: rangesOf(object.entries),
    states: new Set(
      object.entries.filter((entry) => entry.kind === "state").map((entry) => entry.streamId),
    ),
  };
}

/** References to an object's data: one for each stream, or several where its records are too many for one. */
export function rangesOf(entries: readonly BlockEntry[]): readonly ObjectRange[] {
  const ranges: ObjectRange[] = [];
  for (const entry of entries) {
    if (entry.kind !== "data") continue;
    const last = ranges.at(-1);
    if (
      last !== undefined &&
      last.streamId === entry.streamId &&
      last.records + entry.records <= UINT32_MAX
    ) {
      ranges[ranges.length - 1] = {
        ...last,
        end: entry.endOffset,
        records: last.records + entry.records,
        bytes: last.bytes + entry.bytes,
        maxTimestampMs: Math.max(last.maxTimestampMs, entry.maxTimestampMs),
      };
      continue;
    }
    ranges.push({
      streamId: entry.streamId,
      sourceStreamId: entry.streamId,
      start: entry.startOffset,
      end: entry.endOffset,
      records: entry.records,
      bytes: entry.bytes,
      maxTimestampMs: entry.maxTimestampMs,
    });
  }
  return ranges;
}
