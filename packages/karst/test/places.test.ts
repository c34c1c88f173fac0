import assert from "node:assert/strict";
import { parseRoot } from "@karst/objectstore";
import type { Files } from "@karst/runtime";
import { nodeFiles, nodeRuntime } from "@karst/runtime/node";
import { WAL_START } from "@karst/wal";
import { onTestFinished, test } from "vitest";
import { openPlaces } from "../src/places.ts";
import { temporaryDirectory } from "./world.ts";

const MiB = 1024 * 1024;
/** So large that writing it takes much longer than getting ready to write an object. */
const FRAME_BYTES = 24 * MiB;

/** Tells of each write in the turn in which it begins, after whatever led to it. */
function watched(onWrite: () => void): Files {
  return {
    ...nodeFiles,
    open: async (path, mode) => {
      const handle = await nodeFiles.open(path, mode);
      return Object.assign(Object.create(handle) as typeof handle, {
        read: handle.read.bind(handle),
        datasync: handle.datasync.bind(handle),
        size: handle.size.bind(handle),
        close: handle.close.bind(handle),
        write: (bytes: Uint8Array, position: number) => {
          setImmediate(onWrite);
          return handle.write(bytes, position);
        },
      });
    },
  };
}

test("objects on the disk of the WAL wait for the write that appends wait for", async () => {
  const directory = temporaryDirectory();
  const happened: string[] = [];
  const runtime = nodeRuntime({ files: watched(() => happened.push("object")) });
  const { objectStore, wal: factory } = await openPlaces(
    { tag: "disk", root: parseRoot(`file:${directory}`), walDirectory: `${directory}/wal` },
    runtime,
    { memoryBudgetBytes: 256 * MiB, slabBytes: 4 * MiB, wal: { firstSegmentBytes: 32 * MiB } },
  );
  const claim = await factory.claim({ rootId: "root" });
  const wal = await claim.recover({
    trim: WAL_START,
    onFrame: (frame) => frame.slab.release(),
    listener: { durable: () => happened.push("durable"), failed: () => undefined },
  });
  onTestFinished(async () => {
    await wal.close();
    await objectStore.close();
  });
  await objectStore.put("warm", new Uint8Array(1));
  happened.length = 0;
  const payload = new Uint8Array(FRAME_BYTES);
  const frame = {
    streamId: 1,
    streamEpoch: 1,
    baseOffset: 0,
    count: 1,
    maxTimestampMs: 0,
    payload,
  };
  wal.append(frame).slab.release();
  await Promise.all([wal.flush(), objectStore.put("a", new Uint8Array(MiB))]);
  assert.deepEqual(happened, ["durable", "object"]);
});
