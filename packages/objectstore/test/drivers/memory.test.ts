import { memoryObjectStore, MemoryBucket } from "@karst/objectstore";
import { objectStoreConformance } from "@karst/objectstore/conformance";
import assert from "node:assert/strict";
import { describe, test } from "vitest";

describe("memory", () => {
  objectStoreConformance({ test, create: () => memoryObjectStore() });
});

test("stores of one bucket share its objects, and one may close without the other", async () => {
  const bucket = new MemoryBucket();
  const [first, second] = [
    memoryObjectStore({ bucket }),
    memoryObjectStore({ bucket, name: "shared" }),
  ];
  assert.equal(await first.putIfAbsent("a", new Uint8Array([1])), "created");
  assert.equal(await second.putIfAbsent("a", new Uint8Array([2])), "exists");
  await first.close();
  assert.deepEqual(await second.get("a"), new Uint8Array([1]));
  assert.equal(bucket.size, 1);
  assert.equal(second.location, "memory:shared");
});

test("of stores of one bucket racing for a key exactly one wins", async () => {
  const bucket = new MemoryBucket();
  const stores = Array.from({ length: 20 }, () => memoryObjectStore({ bucket }));
  const outcomes = await Promise.all(
    stores.map((store, index) => store.putIfAbsent("a", new Uint8Array([index]))),
  );
  assert.equal(outcomes.filter((outcome) => outcome === "created").length, 1);
});
