import { rangeTable, type ObjectRange } from "../catalogue/rows/range-table.ts";
import { type ObjectId, type ObjectRow, objectRow } from "../catalogue/rows/object-row.ts";
import { streamEndRow } from "../catalogue/rows/stream-end-row.ts";
import { streamOwnerRow } from "../catalogue/rows/stream-owner-row.ts";
import { dereference } from "./dereference.ts";
import type { Draft } from "./draft.ts";

/** An object that is in the store and referenced by nobody yet. */
export interface WrittenObject {
  readonly id: ObjectId;
  readonly kind: ObjectRow["kind"];
  readonly bytes: number;
  readonly indexPosition: number;
  readonly indexBytes: number;
  readonly ranges: readonly ObjectRange[];
  /** Streams whose state block it holds. */
  readonly states: ReadonlySet<number>;
}

export interface Publication {
  readonly nodeId: string;
  readonly objects: readonly WrittenObject[];
  /** Stream epochs under which the ranges were written. */
  readonly epochs: ReadonlyMap<number, number>;
  /** WAL position below which nothing is needed any more once this is published. */
  readonly trim: number;
  readonly walId: string;
  /** Lowest object sequence not dispatched yet. */
  readonly decidedSeq: number;
}

/** Why a range was left out. `broken`: it does not continue what the catalogue has, which is `end`. */
export type LeftOut =
  | { readonly tag: "deleted"; readonly streamId: number }
  | { readonly tag: "not-owned"; readonly streamId: number }
  | {
      readonly tag: "broken";
      readonly streamId: number;
      readonly start: number;
      readonly end: number;
    };

export interface Published {
  readonly objects: readonly { readonly key: string; readonly row: ObjectRow }[];
  /** New committed end of each stream. */
  readonly ends: ReadonlyMap<number, number>;
  readonly leftOut: readonly LeftOut[];
  readonly trimmed: boolean;
}

/**
 * An upload as one transaction: its objects, the new ends of their streams, and the WAL's trim in the node's record. A range must
 * start where its stream's committed end is; ranges of streams deleted or no longer ours are left out. While a stream is broken
 * the trim stays: the WAL is then the only place that surely holds its tail.
 */
export function publishUpload(draft: Draft, publication: Publication, held: boolean): Published {
  const ends = new Map<number, number>();
  const leftOut = new Map<number, LeftOut>();
  const objects: { readonly key: string; readonly row: ObjectRow }[] = [];
  const replaced = new Set<string>();
  for (const written of publication.objects) {
    const key = objectRow.key(written.id);
    const ranges = written.ranges.filter((range) => {
      const reason = leftOut.get(range.streamId) ?? fault(draft, publication, range, ends);
      if (reason !== undefined) leftOut.set(range.streamId, reason);
      else ends.set(range.streamId, range.end);
      return reason === undefined;
    });
    if (ranges.length === 0) continue;
    const { kind, bytes, indexPosition, indexBytes } = written;
    const row: ObjectRow = { kind, bytes, indexPosition, indexBytes, ranges: rangeTable(ranges) };
    draft.put(objectRow, written.id, row);
    objects.push({ key, row });
    for (const range of ranges) {
      const before = draft.require(streamEndRow, range.streamId)?.stateObject;
      const hasState = written.states.has(range.streamId);
      if (hasState && before !== undefined && before !== key) replaced.add(before);
      draft.put(streamEndRow, range.streamId, {
        offset: range.end,
        stateObject: hasState ? key : before,
      });
    }
  }
  for (const key of replaced) dereference(draft, key);
  const trimmed = !held && ![...leftOut.values()].some((reason) => reason.tag === "broken");
  const { node } = draft;
  draft.node = {
    ...node,
    decidedSeq: publication.decidedSeq,
    wals: node.wals.map((wal) =>
      trimmed && wal.walId === publication.walId ? { ...wal, trim: publication.trim } : wal,
    ),
  };
  return { objects, ends, leftOut: [...leftOut.values()], trimmed };
}

function fault(
  draft: Draft,
  publication: Publication,
  range: ObjectRange,
  ends: ReadonlyMap<number, number>,
): LeftOut | undefined {
  const { streamId, start } = range;
  const owner = draft.require(streamOwnerRow, streamId);
  if (owner === undefined) return { tag: "deleted", streamId };
  if (owner.nodeId !== publication.nodeId || owner.streamEpoch !== publication.epochs.get(streamId))
    return { tag: "not-owned", streamId };
  const end = ends.get(streamId) ?? draft.require(streamEndRow, streamId)?.offset ?? 0;
  return end === start ? undefined : { tag: "broken", streamId, start, end };
}
