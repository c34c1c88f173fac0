import {
  type FaultyObjectStore,
  faultyObjectStore,
  MemoryBucket,
  memoryObjectStore,
  noFaults,
} from "@karst/objectstore";
import { ErrorCode } from "@karst/kafka-protocol";
import { decodeBatch, splitBatches } from "@karst/records";
import { utf8Decode } from "@karst/runtime";
import { SeededRandom } from "@karst/runtime/testing";
import assert from "node:assert/strict";
import { test } from "vitest";
import type { TestClient } from "./client.ts";
import { batchOf, withFixture } from "./fixture.ts";

const KiB = 1024;
const LIMITS = { uploadBytes: 16 * KiB, unuploadedBytesMax: 128 * KiB, slabBytes: 64 * KiB };

function storeThatFails(bucket = new MemoryBucket()): FaultyObjectStore {
  return faultyObjectStore(memoryObjectStore({ bucket }), {
    random: new SeededRandom(1),
    plan: noFaults,
  });
}

/** The n-th record of these tests. */
function textOf(n: number): string {
  return `${n} `.padEnd(4 * KiB, "x");
}

async function produceOne(client: TestClient, n: number): Promise<number> {
  return (await client.produce("t", batchOf(textOf(n)))).errorCode;
}

/** The numbers of all records, read from the start on. */
async function readAll(client: TestClient): Promise<number[]> {
  const found: number[] = [];
  for (;;) {
    const { errorCode, records } = await client.fetch("t", found.length);
    assert.equal(errorCode, ErrorCode.NONE);
    const batches = splitBatches(records ?? new Uint8Array());
    if (batches.length === 0) return found;
    for (const record of batches.flatMap((batch) => decodeBatch(batch))) {
      const text = utf8Decode(record.value ?? new Uint8Array());
      assert.equal(text, textOf(found.length));
      found.push(Number(text.trim().split(" ")[0]));
    }
  }
}

test("without its object store a broker appends up to a limit, then refuses before it buffers, and recovers by itself", async () => {
  const objectStore = storeThatFails();
  await withFixture({ objectStore, engineLimits: LIMITS }, async ({ connect, engine }) => {
    const [client, reader] = [await connect(), await connect()];
    await client.createTopic("t");
    let next = 0;
    for (; next < 20; next += 1) assert.equal(await produceOne(client, next), ErrorCode.NONE);
    for (let outage = 0; outage < 2; outage += 1) {
      const before = next;
      objectStore.down();
      let code: number = ErrorCode.NONE;
      while (code === ErrorCode.NONE) {
        code = await produceOne(client, next);
        if (code === ErrorCode.NONE) next += 1;
      }
      assert.equal(code, ErrorCode.KAFKA_STORAGE_ERROR);
      assert.ok((next - before) * 4 * KiB > LIMITS.unuploadedBytesMax / 2, String(next - before));
      assert.ok((next - before) * 4 * KiB <= LIMITS.unuploadedBytesMax, String(next - before));
      // What is refused is not kept, and what was taken can be read.
      const reserved = engine.memory.reservedBytes;
      for (let again = 0; again < 50; again += 1) {
        assert.equal(await produceOne(client, next), ErrorCode.KAFKA_STORAGE_ERROR);
      }
      assert.equal(engine.memory.reservedBytes, reserved);
      const tail = await reader.fetch("t", before);
      assert.deepEqual([tail.errorCode, tail.highWatermark], [ErrorCode.NONE, next]);

      objectStore.up();
      // As a client does: the error is one that it tries again on.
      while ((await produceOne(client, next)) !== ErrorCode.NONE);
      next += 1;
    }
    assert.ok(objectStore.counts.outage > 0);
    assert.deepEqual(
      await readAll(reader),
      Array.from({ length: next }, (_, n) => n),
    );
  });
});

test("a reader of what is in objects alone is told to come again while the store is down", async () => {
  const bucket = new MemoryBucket();
  await withFixture({ objectStore: memoryObjectStore({ bucket }) }, async ({ connect }) => {
    const client = await connect();
    await client.createTopic("t");
    for (let n = 0; n < 40; n += 1) assert.equal(await produceOne(client, n), ErrorCode.NONE);
  });
  const objectStore = storeThatFails(bucket);
  await withFixture({ objectStore }, async ({ connect }) => {
    const client = await connect();
    assert.equal(await produceOne(client, 40), ErrorCode.NONE);
    objectStore.down();
    try {
      const refused = await client.fetch("t", 0);
      assert.equal(refused.errorCode, ErrorCode.KAFKA_STORAGE_ERROR);
      assert.equal(await produceOne(client, 41), ErrorCode.NONE);
      const tail = await client.fetch("t", 40);
      assert.deepEqual([tail.errorCode, tail.highWatermark], [ErrorCode.NONE, 42]);
    } finally {
      objectStore.up();
    }
    assert.equal((await readAll(client)).length, 42);
  });
});
