import { assert, MemoryShare } from "@karst/runtime";
import { type StateStreamKind, stateStreamRow } from "../catalogue/rows/state-stream-row.ts";
import { streamEndRow } from "../catalogue/rows/stream-end-row.ts";
import { streamOwnerRow } from "../catalogue/rows/stream-owner-row.ts";
import { streamStartRow } from "../catalogue/rows/stream-start-row.ts";
import type { Engine } from "../engine.ts";
import { RESTORE_READ_BYTES } from "../limits.ts";
import type { Stream } from "../stream/stream.ts";
import { commitChange } from "../topics/commit-change.ts";
import { takeNumbers } from "../topics/topic-changes.ts";
import { DEFAULT_STATE_STREAM_LIMITS, type StateStreamLimits } from "./limits.ts";
import { LoggedState } from "./logged-state.ts";
import { decodeStateChanges, WriteAssembler } from "./state-changes.ts";
import { corruptState, decodeStateFrame } from "./state-frame.ts";
import { StateImage } from "./state-image.ts";
import type { StateStream } from "./state-stream.ts";

export interface OpenStateStreamOptions {
  readonly engine: Engine;
  readonly kind: StateStreamKind;
  readonly limits?: Partial<StateStreamLimits>;
}

/** Whether the root has a stream of this kind, as this node knows. */
export function hasStateStream(engine: Engine, kind: StateStreamKind): boolean {
  return stateStreamRow.get(engine.catalogue, kind) !== undefined;
}

/**
 * Opens the state of a kind on this node and loads it; the first call for a root creates its stream. One handle per kind.
 *
 * @throws KarstError `STATE_STREAM_CORRUPT`, `STATE_STREAM_VERSION` (`corrupt`); `CATALOGUE_BUSY` (`unavailable`), `COMMIT_UNKNOWN`
 * (`indeterminate`); `MEMORY_BUDGET_EXCEEDED` (`unavailable`): the state does not fit into what is free of the engine's memory; and what `Engine.openStream` and `Stream.read` throw.
 */
export async function openStateStream(options: OpenStateStreamOptions): Promise<StateStream> {
  const { engine, kind } = options;
  const limits = { ...DEFAULT_STATE_STREAM_LIMITS, ...options.limits };
  const stream = await engine.openStream(await streamOf(engine, kind));
  const image = new StateImage(new MemoryShare(engine.memory, `the state of ${kind}`));
  try {
    const loggedBytes = await load(stream, kind, image);
    return new LoggedState({ engine, kind, stream, limits, image, loggedBytes });
  } catch (error) {
    image.close();
    await stream.close();
    throw error;
  }
}

/** The kind's stream, minted by whoever commits first. */
async function streamOf(engine: Engine, kind: StateStreamKind): Promise<number> {
  const { catalogue, runtime } = engine;
  // Another node may have made it.
  if (!hasStateStream(engine, kind)) await catalogue.refresh();
  await commitChange(catalogue, runtime.random, () => {
    const row = stateStreamRow.get(catalogue, kind);
    if (row !== undefined) return undefined;
    const minted = takeNumbers(catalogue, "streams", 1);
    const streamId = minted.first;
    return {
      require: [...minted.require, stateStreamRow.unchanged(kind, undefined)],
      put: [
        ...minted.put,
        stateStreamRow.put(kind, { streamId }),
        streamStartRow.put(streamId, { offset: 0, deadBefore: 0 }),
        streamEndRow.put(streamId, { offset: 0, stateObject: undefined }),
        streamOwnerRow.put(streamId, { nodeId: undefined, streamEpoch: 0 }),
      ],
      delete: [],
    };
  });
  const row = stateStreamRow.get(catalogue, kind);
  assert(row !== undefined, `no stream of ${kind} after it was made`);
  return row.value.streamId;
}

/**
 * Fills the image with every write from the stream's start on. What was trimmed before the start is in the snapshot that begins there.
 *
 * @returns bytes in the stream.
 */
async function load(stream: Stream, kind: StateStreamKind, image: StateImage): Promise<number> {
  const writes = new WriteAssembler();
  const { logStartOffset } = stream;
  let loggedBytes = 0;
  let whole = logStartOffset === 0;
  let offset = logStartOffset;
  while (offset < stream.highWatermark) {
    const read = await stream.read({ from: offset, bytesMax: RESTORE_READ_BYTES });
    try {
      for (const { payload, baseOffset } of read.batches) {
        // Offsets that were left out on purpose.
        if (payload.length === 0) continue;
        loggedBytes += payload.length;
        const where = `state of ${kind}, stream ${stream.streamId} at ${baseOffset}`;
        const frame = decodeStateFrame(payload, where);
        if (frame.tag === "snapshot end") {
          if (frame.from >= logStartOffset) whole = true;
          continue;
        }
        const bytes = writes.add(frame, where);
        if (bytes === undefined) continue;
        const changes = decodeStateChanges(bytes, where);
        image.change(changes, image.growth(changes));
      }
      assert(read.nextOffset > offset, `stream ${stream.streamId} cannot be read from ${offset}`);
      offset = read.nextOffset;
    } finally {
      read.release();
    }
  }
  if (!whole) {
    throw corruptState(
      `state of ${kind}, stream ${stream.streamId}: it begins at ${logStartOffset}, and no snapshot was completed after that`,
    );
  }
  return loggedBytes;
}
