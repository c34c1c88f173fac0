import type { Run } from "../cache/generation.ts";
import type { ObjectStreamInput } from "../format/object-writer.ts";

/** One object of an upload. */
export interface PlannedObject {
  readonly kind: "stream" | "stream-set";
  /** By ascending stream id. */
  readonly streams: readonly ObjectStreamInput[];
}

export interface PlanFacts {
  /** Payload bytes from which a stream gets an object of its own. */
  readonly streamObjectBytesMin: number;
  /** State blocks captured at the cut. */
  readonly states: ReadonlyMap<number, Uint8Array>;
  /**
   * Where a stream begins by now: what is trimmed is not uploaded, its range is; where no state was captured it is, for whoever has
   * to make the state of it. undefined: leave the stream out.
   */
  readonly startOf: (streamId: number) => number | undefined;
}

/** Which objects an upload writes, and what is in them: large streams one each, the rest together in one. Pure. */
export function planUpload(runs: Iterable<Run>, facts: PlanFacts): readonly PlannedObject[] {
  const objects: PlannedObject[] = [];
  const rest: ObjectStreamInput[] = [];
  for (const run of [...runs].toSorted((a, b) => a.streamId - b.streamId)) {
    const start = facts.startOf(run.streamId);
    if (start === undefined) continue;
    const state = facts.states.get(run.streamId);
    const from = state === undefined ? 0 : start;
    const stream: ObjectStreamInput = {
      streamId: run.streamId,
      startOffset: run.startOffset,
      endOffset: run.endOffset,
      batches: run.entries.filter((entry) => entry.payload.length > 0 && entry.endOffset > from),
      state,
    };
    if (payloadBytes(stream) >= facts.streamObjectBytesMin)
      objects.push({ kind: "stream", streams: [stream] });
    else rest.push(stream);
  }
  if (rest.length > 0) objects.push({ kind: "stream-set", streams: rest });
  return objects;
}

function payloadBytes(stream: ObjectStreamInput): number {
  let bytes = 0;
  for (const batch of stream.batches) bytes += batch.payload.length;
  return bytes;
}
