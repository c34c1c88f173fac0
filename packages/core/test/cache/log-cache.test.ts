import assert from "node:assert/strict";
import { MemoryBudget, type Slab, SlabPool } from "@karst/runtime";
import type { WalPosition } from "@karst/wal";
import { beforeEach, test } from "vitest";
import { ENTRY_OVERHEAD_BYTES } from "../../src/cache/generation.ts";
import { LogCache } from "../../src/cache/log-cache.ts";

const SLAB_BYTES = 64;

let memory: MemoryBudget;
let pool: SlabPool;
let cache: LogCache;
let slab: Slab;
let used: number;
let position: number;

beforeEach(() => {
  memory = new MemoryBudget(1_000_000);
  pool = new SlabPool({ budget: memory, slabBytes: SLAB_BYTES, poison: true });
  cache = new LogCache(memory);
  slab = pool.acquire(1);
  used = 0;
  position = 0;
});

/** Adds a batch as an append does; `bytes` 0 is a hole. */
function add(streamId: number, baseOffset: number, count: number, bytes: number): void {
  if (used + bytes > SLAB_BYTES) {
    slab.release();
    slab = pool.acquire(1);
    used = 0;
  }
  const payload = slab.bytes.subarray(used, used + bytes).fill(baseOffset);
  used += bytes;
  position += 10 + bytes;
  slab.retain();
  const entry = { baseOffset, endOffset: baseOffset + count, maxTimestampMs: -1, payload, slab };
  cache.reserving(() => cache.add(streamId, entry, position as WalPosition));
}

function cut(): NonNullable<ReturnType<LogCache["cut"]>> {
  const generation = cache.cut();
  assert.ok(generation !== undefined);
  return generation;
}

function read(
  streamId: number,
  from: number,
  before: number,
  bytesMax = 1_000_000,
): { readonly offsets: readonly number[]; readonly nextOffset: number } | undefined {
  const result = cache.read(streamId, { from, before, bytesMax });
  if (result === undefined) return undefined;
  for (const batch of result.batches)
    assert.ok(batch.payload.every((byte) => byte === batch.baseOffset % 256));
  const answer = {
    offsets: result.batches.map((batch) => batch.baseOffset),
    nextOffset: result.nextOffset,
  };
  result.release();
  return answer;
}

test("a read begins with the batch that holds its offset and ends below its bound", () => {
  add(1, 0, 2, 8);
  add(1, 2, 3, 8);
  add(1, 5, 1, 8);
  assert.deepEqual(read(1, 0, 6), { offsets: [0, 2, 5], nextOffset: 6 });
  assert.deepEqual(read(1, 1, 6), { offsets: [0, 2, 5], nextOffset: 6 });
  assert.deepEqual(read(1, 3, 6), { offsets: [2, 5], nextOffset: 6 });
  assert.deepEqual(read(1, 3, 4), { offsets: [], nextOffset: 3 });
  assert.deepEqual(read(1, 6, 6), { offsets: [], nextOffset: 6 });
  assert.equal(read(1, 7, 9), undefined);
  assert.equal(read(2, 0, 0), undefined);
});

test("the first batch comes whatever its size, others while there is room; a strict read has no such exception", () => {
  add(1, 0, 1, 20);
  add(1, 1, 1, 20);
  add(1, 2, 1, 20);
  assert.deepEqual(read(1, 0, 3, 1), { offsets: [0], nextOffset: 1 });
  assert.deepEqual(read(1, 0, 3, 40), { offsets: [0, 1], nextOffset: 2 });
  const strict = cache.read(1, { from: 0, before: 3, bytesMax: 10, strict: true });
  assert.deepEqual(strict?.batches, []);
  strict?.release();
});

test("holes are stepped over, and never stand in the way of progress", () => {
  add(1, 0, 1, 4);
  add(1, 1, 100, 0);
  add(1, 101, 1, 4);
  add(1, 102, 50, 0);
  assert.deepEqual(read(1, 0, 152), { offsets: [0, 101], nextOffset: 152 });
  assert.deepEqual(read(1, 50, 152), { offsets: [101], nextOffset: 152 });
  assert.deepEqual(read(1, 102, 152), { offsets: [], nextOffset: 152 });
  assert.deepEqual(read(1, 1, 60), { offsets: [], nextOffset: 60 });
});

test("streams are kept apart, and reads cross generations", () => {
  add(1, 0, 1, 4);
  add(2, 10, 1, 4);
  const first = cut();
  add(1, 1, 1, 4);
  add(2, 11, 1, 4);
  assert.deepEqual(read(1, 0, 2), { offsets: [0, 1], nextOffset: 2 });
  assert.deepEqual(read(2, 10, 12), { offsets: [10, 11], nextOffset: 12 });
  assert.deepEqual([...first.runs.keys()], [1, 2]);
  assert.equal(first.endPosition, 28);
});

test("what is not uploaded cannot be evicted; what is, goes oldest first and is readable until then", () => {
  add(1, 0, 1, 4);
  const first = cut();
  add(1, 1, 1, 4);
  const second = cut();
  add(1, 2, 1, 4);
  const perEntry = 4 + ENTRY_OVERHEAD_BYTES;
  assert.equal(cache.unuploadedBytes, 3 * perEntry);
  assert.equal(cache.openBytes, perEntry);
  assert.equal(cache.evict(), false);
  cache.uploaded(first);
  cache.uploaded(second);
  assert.equal(cache.unuploadedBytes, perEntry);
  assert.deepEqual(read(1, 0, 3), { offsets: [0, 1, 2], nextOffset: 3 });
  assert.equal(cache.evict(), true);
  assert.equal(read(1, 0, 3), undefined);
  assert.equal(cache.startOf(1), 1);
  assert.equal(cache.evict(), true);
  assert.equal(cache.evict(), false);
  assert.deepEqual(read(1, 2, 3), { offsets: [2], nextOffset: 3 });
});

test("an empty generation is not cut", () => {
  assert.equal(cache.cut(), undefined);
  add(1, 0, 1, 4);
  cut();
  assert.equal(cache.cut(), undefined);
});

test("a read keeps its memory, and releasing gives all of it back", () => {
  add(1, 0, 1, 60);
  add(1, 1, 1, 60);
  const held = cache.read(1, { from: 0, before: 2, bytesMax: 1000 });
  assert.ok(held !== undefined);
  cache.uploaded(cut());
  while (cache.evict()) {
    // All of it.
  }
  slab.release();
  assert.deepEqual(
    held.batches.map((batch) => batch.payload[59]),
    [0, 1],
  );
  assert.equal(memory.reservedBytes, 2 * SLAB_BYTES);
  held.release();
  assert.equal(memory.reservedBytes, 0);
  assert.throws(() => held.release(), { code: "ASSERTION_FAILED" });
});

test("an entry's overhead is in the budget, and clearing gives everything back", () => {
  const before = memory.reservedBytes;
  for (let offset = 0; offset < 10; offset += 1) add(1, offset, 1, 1);
  assert.equal(memory.reservedBytes, before + 10 * ENTRY_OVERHEAD_BYTES);
  cut();
  add(2, 0, 1, 1);
  cache.clear();
  slab.release();
  assert.equal(memory.reservedBytes, 0);
  assert.equal(cache.unuploadedBytes, 0);
});

test("a stream that is not contiguous is a broken invariant", () => {
  add(1, 0, 1, 4);
  cut();
  assert.throws(() => add(1, 2, 1, 4), { code: "ASSERTION_FAILED" });
});
