import { streamOwnerRow } from "../catalogue/rows/stream-owner-row.ts";
import { streamStartRow } from "../catalogue/rows/stream-start-row.ts";
import { coreError } from "../errors.ts";
import type { StoredObject } from "../stream/references.ts";
import { dereference } from "./dereference.ts";
import type { Draft } from "./draft.ts";

/**
 * Raises a stream's start, and dereferences the objects in which nothing is live any more.
 *
 * @param below the objects of the stream's references that lie wholly below the new start.
 * @throws KarstError `STREAM_FENCED` (`fenced`): the stream is deleted or another node's.
 */
export function trimStream(
  draft: Draft,
  trim: {
    readonly streamId: number;
    readonly streamEpoch: number;
    readonly nodeId: string;
    readonly before: number;
    /** As of the row: what the stream's state has been written of is not needed any more. */
    readonly deadBefore: number;
  },
  below: readonly StoredObject[],
): void {
  const { streamId, before, deadBefore } = trim;
  const owner = draft.require(streamOwnerRow, streamId);
  if (owner === undefined) throw coreError("STREAM_FENCED", `stream ${streamId} is deleted`);
  if (owner.nodeId !== trim.nodeId || owner.streamEpoch !== trim.streamEpoch) {
    throw coreError("STREAM_FENCED", `stream ${streamId} is another node's`);
  }
  const start = draft.require(streamStartRow, streamId)?.offset ?? 0;
  if (start >= before) return;
  draft.put(streamStartRow, streamId, { offset: before, deadBefore });
  for (const object of below) dereference(draft, object.key);
}
