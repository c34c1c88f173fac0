import assert from "node:assert/strict";
import { MemoryBudget, SlabPool } from "@karst/runtime";
import { test } from "vitest";
import type { Run } from "../../src/cache/generation.ts";
import { rangesOf } from "../../src/upload/write-objects.ts";
import { encodeObject } from "../../src/format/object-writer.ts";
import { planUpload } from "../../src/upload/plan.ts";

const pool = new SlabPool({ budget: new MemoryBudget(1_000_000), slabBytes: 16 });
const slab = pool.acquire(1);

/** Batches of one offset each; 0 bytes: a hole. */
function run(streamId: number, startOffset: number, sizes: readonly number[]): Run {
  const entries = sizes.map((size, i) => ({
    baseOffset: startOffset + i,
    endOffset: startOffset + i + 1,
    maxTimestampMs: size,
    payload: new Uint8Array(size),
    slab,
  }));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return { streamId, startOffset, endOffset: startOffset + sizes.length, bytes, entries };
}

const facts = {
  streamObjectBytesMin: 100,
  states: new Map<number, Uint8Array>(),
  startOf: () => 0,
};

test("large streams get objects of their own, the rest share one, by stream id", () => {
  const planned = planUpload(
    [run(7, 0, [30]), run(3, 5, [60, 60]), run(1, 9, [99]), run(9, 0, [100])],
    facts,
  );
  assert.deepEqual(
    planned.map((object) => [object.kind, object.streams.map((stream) => stream.streamId)]),
    [
      ["stream", [3]],
      ["stream", [9]],
      ["stream-set", [1, 7]],
    ],
  );
});

test("nothing comes of nothing", () => {
  assert.deepEqual(planUpload([], facts), []);
  assert.deepEqual(planUpload([run(1, 0, [10])], { ...facts, startOf: () => undefined }), []);
});

test("what is trimmed and what is a hole is not uploaded, but the range is", () => {
  const [object] = planUpload([run(1, 5, [10, 0, 10, 10])], {
    ...facts,
    startOf: () => 6,
    states: new Map([[1, new Uint8Array(0)]]),
  });
  const [stream] = object?.streams ?? [];
  assert.ok(object !== undefined && stream !== undefined);
  assert.deepEqual([stream.startOffset, stream.endOffset], [5, 9]);
  assert.deepEqual(
    stream.batches.map((batch) => batch.baseOffset),
    [7, 8],
  );
  assert.deepEqual(rangesOf(encodeObject(object.streams, { blockBytes: 1000 }).entries), [
    { streamId: 1, sourceStreamId: 1, start: 5, end: 9, records: 2, bytes: 68, maxTimestampMs: 10 },
  ]);
});

test("a range of nothing but holes is an empty block", () => {
  const [object] = planUpload([run(1, 0, [0, 0])], facts);
  assert.deepEqual(rangesOf(encodeObject(object?.streams ?? [], { blockBytes: 1000 }).entries), [
    { streamId: 1, sourceStreamId: 1, start: 0, end: 2, records: 0, bytes: 0, maxTimestampMs: -1 },
  ]);
});

test("state blocks go with their streams", () => {
  const state = new Uint8Array([1, 2, 3]);
  const [object] = planUpload([run(1, 0, [10]), run(2, 0, [10])], {
    ...facts,
    states: new Map([[2, state]]),
  });
  assert.deepEqual(
    object?.streams.map((stream) => stream.state),
    [undefined, state],
  );
});

test("more records than one reference can count make several", () => {
  const huge = 0x7fff_ffff;
  const batches = Array.from({ length: 5 }, (_, i) => ({
    baseOffset: i * huge,
    endOffset: (i + 1) * huge,
    maxTimestampMs: i,
    payload: new Uint8Array(1),
  }));
  const stream = { streamId: 1, startOffset: 0, endOffset: 5 * huge, batches, state: undefined };
  const ranges = rangesOf(encodeObject([stream], { blockBytes: 1_000_000 }).entries);
  assert.deepEqual(
    ranges.map(({ start, end, records, maxTimestampMs }) => ({
      start,
      end,
      records,
      maxTimestampMs,
    })),
    [
      { start: 0, end: 2 * huge, records: 2 * huge, maxTimestampMs: 1 },
      { start: 2 * huge, end: 4 * huge, records: 2 * huge, maxTimestampMs: 3 },
      { start: 4 * huge, end: 5 * huge, records: huge, maxTimestampMs: 4 },
    ],
  );
});
