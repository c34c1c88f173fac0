import { type ObjectRow, objectRow } from "../catalogue/rows/object-row.ts";
import { streamEndRow } from "../catalogue/rows/stream-end-row.ts";
import { streamOwnerRow } from "../catalogue/rows/stream-owner-row.ts";
import { streamStartRow } from "../catalogue/rows/stream-start-row.ts";
import type { Draft } from "./draft.ts";

/**
 * Deletes the object's row if nothing in it is live: no range of an existing stream reaches above that stream's start, or above
 * what its state has been written of, and no stream's newest state block is in it. Its bytes are garbage then. Death is final (a
 * start only grows, an id is never used again), so the streams' rows need not be required; the object's row is.
 */
export function dereference(draft: Draft, key: string): void {
  const id = objectRow.parseKey(key);
  if (id === undefined) return;
  const row = draft.read(objectRow, id);
  if (row === undefined || isLive(draft, key, row)) return;
  draft.require(objectRow, id);
  draft.delete(objectRow, id);
}

function isLive(draft: Draft, key: string, row: ObjectRow): boolean {
  const { count, streamId, end } = row.ranges;
  for (let i = 0; i < count; i += 1) {
    const id = streamId[i] as number;
    if (draft.read(streamOwnerRow, id) === undefined) continue;
    const start = draft.read(streamStartRow, id);
    if ((end[i] as number) > (start?.offset ?? 0)) return true;
    const stateKey = draft.read(streamEndRow, id)?.stateObject;
    if (stateKey === key) return true;
    // Perhaps it has a state, and nobody has come to write it.
    const needed = stateKey === undefined ? start?.deadBefore : stateOffset(draft, stateKey, id);
    if ((end[i] as number) > (needed ?? 0)) return true;
  }
  return false;
}

/** As of where an object has a stream's state: the end of its range there. */
function stateOffset(draft: Draft, key: string, streamId: number): number {
  const id = objectRow.parseKey(key);
  const ranges = id === undefined ? undefined : draft.read(objectRow, id)?.ranges;
  let offset = 0;
  for (let i = 0; i < (ranges?.count ?? 0); i += 1) {
    if (ranges?.streamId[i] === streamId) offset = Math.max(offset, ranges.end[i] as number);
  }
  return offset;
}
