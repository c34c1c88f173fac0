import { crc32c } from "@karst/runtime";
import type { StreamBatch } from "../stream/stream.ts";
import { encodeBlock } from "./object-block.ts";
import { encodeFooter } from "./object-footer.ts";
import { encodeHeader } from "./object-header.ts";
import { type BlockEntry, encodeIndex } from "./object-index.ts";
import { FOOTER_BYTES, HEADER_BYTES, UINT32_MAX } from "./object-layout.ts";

/** What one stream puts into an object. */
export interface ObjectStreamInput {
  readonly streamId: number;
  /** The logical range, which the blocks tile; `batches` are inside it. */
  readonly startOffset: number;
  readonly endOffset: number;
  /** Ascending and disjoint; may be empty (all of the range is a hole). */
  readonly batches: readonly StreamBatch[];
  /** State as of `endOffset`. Empty: nothing, as of `endOffset`. */
  readonly state: Uint8Array | undefined;
}

export interface EncodedObject {
  /** The object's bytes, in order; large payloads are borrowed views. */
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
  readonly indexPosition: number;
  readonly indexBytes: number;
  readonly entries: readonly BlockEntry[];
}

/** Builds an object. `streams` ascend by id. A block ends once it holds `blockBytes` of payload or more. */
export function encodeObject(
  streams: readonly ObjectStreamInput[],
  options: { readonly blockBytes: number },
): EncodedObject {
  const parts: Uint8Array[] = [encodeHeader()];
  const entries: BlockEntry[] = [];
  let position = HEADER_BYTES;
  for (const stream of streams) {
    for (const run of blockRuns(stream, options.blockBytes)) {
      const block = encodeBlock(run.batches);
      entries.push({
        ...run.range,
        ...summary(run.batches),
        kind: "data",
        streamId: stream.streamId,
        position,
        bytes: block.bytes,
        crc: block.crc,
      });
      parts.push(...block.parts);
      position += block.bytes;
    }
    if (stream.state !== undefined) {
      entries.push({
        kind: "state",
        streamId: stream.streamId,
        startOffset: stream.endOffset,
        endOffset: stream.endOffset,
        records: 0,
        position,
        bytes: stream.state.length,
        maxTimestampMs: -1,
        crc: crc32c(stream.state),
      });
      if (stream.state.length > 0) parts.push(stream.state);
      position += stream.state.length;
    }
  }
  const index = encodeIndex(entries);
  const footer = encodeFooter({
    indexPosition: position,
    indexBytes: index.length,
    indexEntries: entries.length,
    indexCrc: crc32c(index),
  });
  parts.push(index, footer);
  return {
    parts,
    bytes: position + index.length + FOOTER_BYTES,
    indexPosition: position,
    indexBytes: index.length,
    entries,
  };
}

interface BlockRun {
  readonly range: { readonly startOffset: number; readonly endOffset: number };
  readonly batches: readonly StreamBatch[];
}

/** Cuts a stream's batches into runs that tile its range; a hole belongs to the block before it, the first to the first. */
function blockRuns(stream: ObjectStreamInput, blockBytes: number): readonly BlockRun[] {
  const runs: BlockRun[] = [];
  let startOffset = stream.startOffset;
  let first = 0;
  let bytes = 0;
  let records = 0;
  for (const [i, batch] of stream.batches.entries()) {
    bytes += batch.payload.length;
    records += batch.endOffset - batch.baseOffset;
    const next = stream.batches[i + 1];
    if (next === undefined) continue;
    if (bytes < blockBytes && records + (next.endOffset - next.baseOffset) <= UINT32_MAX) continue;
    runs.push({
      range: { startOffset, endOffset: next.baseOffset },
      batches: stream.batches.slice(first, i + 1),
    });
    startOffset = next.baseOffset;
    first = i + 1;
    bytes = 0;
    records = 0;
  }
  runs.push({
    range: { startOffset, endOffset: stream.endOffset },
    batches: stream.batches.slice(first),
  });
  return runs;
}

function summary(batches: readonly StreamBatch[]): {
  readonly records: number;
  readonly maxTimestampMs: number;
} {
  let records = 0;
  let maxTimestampMs = -1;
  for (const batch of batches) {
    records += batch.endOffset - batch.baseOffset;
    maxTimestampMs = Math.max(maxTimestampMs, batch.maxTimestampMs);
  }
  return { records, maxTimestampMs };
}
