import { assert, isKarstError, type KarstError, type Logger } from "@karst/runtime";
import type { ObjectReads } from "../cache/object-reads.ts";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { type NodeRow, nodeRow } from "../catalogue/rows/node-row.ts";
import { objectRow } from "../catalogue/rows/object-row.ts";
import { streamEndRow } from "../catalogue/rows/stream-end-row.ts";
import { type StreamOwnerRow, streamOwnerRow } from "../catalogue/rows/stream-owner-row.ts";
import { streamStartRow } from "../catalogue/rows/stream-start-row.ts";
import { coreError } from "../errors.ts";
import { RESTORE_READ_BYTES } from "../limits.ts";
import type { Draft } from "../upload/draft.ts";
import type { NodeCommitter } from "../upload/node-committer.ts";
import type { References } from "./references.ts";
import type { StreamState } from "./stream.ts";
import { StreamLog } from "./stream-log.ts";
import type { StreamReader } from "./stream-reader.ts";

export interface OpenStreamParts {
  readonly nodeId: string;
  readonly catalogue: Catalogue;
  readonly committer: NodeCommitter;
  readonly objects: ObjectReads;
  readonly reader: StreamReader;
  readonly references: References;
  readonly log: Logger;
}

/**
 * Makes a stream this node's, if it is not yet, and reads where it begins and ends.
 *
 * @param known what recovery or an earlier handle left of it.
 * @throws KarstError `STREAM_NOT_FOUND` (`not_found`); `STREAM_NOT_OWNED` (`conflict`), `WAL_UNAVAILABLE` (`unavailable`): another
 * node's; `CATALOGUE_UNAVAILABLE` (`unavailable`).
 */
export async function ownStream(
  streamId: number,
  known: StreamLog | undefined,
  parts: OpenStreamParts,
): Promise<StreamLog> {
  const { catalogue, committer, nodeId, references } = parts;
  let owner = streamOwnerRow.get(catalogue, streamId)?.value;
  if (owner === undefined) {
    // Somebody else may have made it a moment ago.
    await catalogue.refresh();
    owner = streamOwnerRow.get(catalogue, streamId)?.value;
  }
  if (owner === undefined) throw coreError("STREAM_NOT_FOUND", `there is no stream ${streamId}`);
  // What an older image says against it may have changed: its owner may have been closed a moment ago.
  if (owner.nodeId !== nodeId && isElsewhere(catalogue, owner)) await catalogue.refresh();
  const epoch =
    owner.nodeId === nodeId
      ? owner.streamEpoch
      : await committer.commit((draft) => takeStream(draft, streamId, nodeId), { patient: false });
  if (known !== undefined && known.epoch === epoch && known.fault === undefined) return known;
  const logStartOffset = streamStartRow.get(catalogue, streamId)?.value.offset ?? 0;
  const committedEnd = streamEndRow.get(catalogue, streamId)?.value.offset ?? 0;
  // Its last owner has published more since the references were loaded.
  if (logStartOffset < committedEnd && references.of(streamId).end < committedEnd)
    references.load(catalogue);
  return new StreamLog({ streamId, epoch, logStartOffset, committedEnd });
}

/** Whether a node that is not closed has the stream, as this image knows. */
function isElsewhere(catalogue: Catalogue, { nodeId }: StreamOwnerRow): boolean {
  const node = nodeId === undefined ? undefined : nodeRow.get(catalogue, nodeId);
  return node !== undefined && node.value.state.tag !== "closed";
}

/** Takes a stream that is nobody's, or a closed node's. Returns its new epoch. */
function takeStream(draft: Draft, streamId: number, nodeId: string): number {
  const owner = draft.require(streamOwnerRow, streamId);
  if (owner === undefined) throw coreError("STREAM_NOT_FOUND", `there is no stream ${streamId}`);
  if (owner.nodeId === nodeId) return owner.streamEpoch;
  if (owner.nodeId !== undefined) {
    const node = draft.require(nodeRow, owner.nodeId);
    if (node !== undefined && node.state.tag !== "closed") throw refusal(streamId, owner, node);
  }
  const streamEpoch = owner.streamEpoch + 1;
  draft.put(streamOwnerRow, streamId, { nodeId, streamEpoch });
  return streamEpoch;
}

function refusal(streamId: number, owner: StreamOwnerRow, node: NodeRow): Error {
  const wal = node.wals.find((one) => one.state !== "drained" && one.kind === "file");
  if (wal === undefined)
    return coreError("STREAM_NOT_OWNED", `stream ${streamId} is open on node ${owner.nodeId}`);
  return coreError(
    "WAL_UNAVAILABLE",
    `stream ${streamId} is node ${owner.nodeId}'s, whose WAL ${wal.walId} is at ${wal.location}`,
  );
}

/**
 * Brings a state up to the stream's end: its newest state block, then every batch after it. Where the block cannot be read the
 * batches tell the same, unless some have been trimmed.
 *
 * @throws KarstError `OBJECT_MISSING`, `OBJECT_CORRUPT` (`corrupt`): a block that nothing can replace.
 */
export async function restoreState(
  log: StreamLog,
  state: StreamState,
  parts: OpenStreamParts,
): Promise<void> {
  // What is trimmed counts as long as it is there: a trim forgets batches, not what they did.
  const { streamId, committedEnd, logStartOffset, highWatermark } = log;
  const stored = parts.references.of(streamId).startOfChain(Math.min(logStartOffset, committedEnd));
  const block = await newestState(log, stored, parts);
  let offset = Math.max(block?.offset ?? 0, stored);
  state.restore(block?.state, block?.offset ?? offset);
  while (offset < highWatermark) {
    const read = await parts.reader.read(
      { streamId, logStartOffset: offset, highWatermark },
      { from: offset, bytesMax: RESTORE_READ_BYTES },
    );
    try {
      for (const batch of read.batches)
        if (batch.baseOffset >= (block?.offset ?? 0)) state.apply(batch);
    } finally {
      read.release();
    }
    assert(read.nextOffset > offset, `stream ${log.streamId} cannot be read on from ${offset}`);
    offset = read.nextOffset;
  }
  log.stateOffset = block?.offset ?? 0;
}

interface FoundState {
  readonly state: Uint8Array | undefined;
  /** As of. */
  readonly offset: number;
}

/**
 * undefined: there is none, or none that can be read, where every batch is still there to make the state of.
 *
 * One answer that a block is gone or damaged is not enough, and a newer block may have taken its place meanwhile.
 */
async function newestState(
  log: StreamLog,
  stored: number,
  parts: OpenStreamParts,
): Promise<FoundState | undefined> {
  let failed: string | undefined;
  for (;;) {
    const key = stateObjectOf(log, parts);
    if (key === undefined) return undefined;
    try {
      return await readState(log, key, parts);
    } catch (error) {
      if (!isKarstError(error, "corrupt", "not_found")) throw error;
      const { streamId } = log;
      if (key !== failed) {
        failed = key;
        await parts.catalogue.refresh();
        continue;
      }
      // Without it, what trimmed batches did would be forgotten without a word.
      if (stored > 0) throw unreadableState(streamId, key, error);
      parts.log.warn("state-block-unreadable", { streamId, reason: error.message });
      return undefined;
    }
  }
}

function stateObjectOf(
  { streamId }: StreamLog,
  { catalogue }: OpenStreamParts,
): string | undefined {
  return streamEndRow.get(catalogue, streamId)?.value.stateObject;
}

function unreadableState(streamId: number, key: string, cause: KarstError): KarstError {
  return coreError(
    cause.kind === "not_found" ? "OBJECT_MISSING" : "OBJECT_CORRUPT",
    `the state of stream ${streamId} as of its trimmed batches is in ${key} alone, which cannot be read: ${cause.message}`,
    cause,
  );
}

async function readState(
  { streamId }: StreamLog,
  key: string,
  { catalogue, objects }: OpenStreamParts,
): Promise<FoundState> {
  const id = objectRow.parseKey(key);
  const row = id === undefined ? undefined : objectRow.get(catalogue, id)?.value;
  if (row === undefined)
    throw coreError(
      "OBJECT_MISSING",
      `${key}, which holds the state of stream ${streamId}, is not in the catalogue`,
    );
  const object = { key, bytes: row.bytes, indexPosition: row.indexPosition };
  const index = await objects.index(object);
  const entry = index.value.findState(streamId);
  index.release();
  if (entry === undefined)
    throw coreError("OBJECT_CORRUPT", `${key} holds no state of stream ${streamId}`);
  const bytes = await objects.state(object, entry);
  return { state: bytes.length === 0 ? undefined : bytes, offset: entry.startOffset };
}
