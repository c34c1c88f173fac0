import {
  fileObjectStore,
  type ObjectStore,
  memoryObjectStore,
  MemoryBucket,
  faultyObjectStore,
  noFaults,
  probeObjectStore,
} from "@karst/objectstore";
import { SeededRandom, SimulatedDisk } from "@karst/runtime/testing";
import assert from "node:assert/strict";
import { test } from "vitest";
import { overridden } from "./overridden.ts";

const random = new SeededRandom("probe");

test("a store that does what it says passes, and is left as it was", async () => {
  const bucket = new MemoryBucket();
  await probeObjectStore(memoryObjectStore({ bucket }), random);
  assert.equal(bucket.size, 0);
  const disk = new SimulatedDisk({ random });
  await probeObjectStore(
    fileObjectStore({ files: disk.files, random, directory: "/data" }),
    random,
  );
  assert.ok(!disk.listAll().some((path) => path.endsWith("@")));
});

/** Stores that get something wrong, as servers do that speak S3 loosely, and what the probe says of them. */
const UNFIT: readonly {
  readonly name: string;
  readonly wrong: (store: ObjectStore) => Partial<ObjectStore>;
  readonly says: RegExp;
}[] = [
  {
    name: "ignores the condition of a create",
    wrong: (store) => ({
      putIfAbsent: async (key, body) => {
        await store.put(key, body);
        return "created";
      },
    }),
    says: /the condition is ignored.*bytes of its creator.*of 8 conditional creates at the same time 8 succeeded/,
  },
  {
    name: "checks the condition before it writes, not as it writes",
    wrong: (store) => ({
      putIfAbsent: async (key, body) => {
        if ((await store.head(key)) !== undefined) return "exists";
        await store.put(key, body);
        return "created";
      },
    }),
    says: /of 8 conditional creates at the same time 8 succeeded/,
  },
  {
    name: "says that it exists, and replaces it",
    wrong: (store) => ({
      putIfAbsent: async (key, body) => {
        const outcome = await store.putIfAbsent(key, body);
        await store.put(key, body);
        return outcome;
      },
    }),
    says: /a created object does not have the bytes of its creator/,
  },
  {
    name: "always says that it exists",
    wrong: () => ({ putIfAbsent: async () => "exists" }),
    says: /a conditional create of a fresh key said that it exists/,
  },
  {
    name: "ignores ranges",
    wrong: (store) => ({ get: (key) => store.get(key) }),
    says: /a range read gave other bytes/,
  },
  {
    name: "gives sizes that are wrong",
    wrong: (store) => ({
      head: async (key) => ({
        key,
        bytes: (await store.head(key)) === undefined ? 0 : 1,
        etag: "e",
      }),
    }),
    says: /head gave another size/,
  },
  {
    name: "lists late",
    wrong: () => ({ async *list() {} }),
    says: /a list of two new objects gave \[\]/,
  },
  {
    name: "does not delete",
    wrong: () => ({ delete: async () => undefined }),
    says: /deleted objects are still there/,
  },
  {
    name: "loses what it has taken",
    wrong: (store) => ({
      putIfAbsent: async (key, body) => {
        const outcome = await store.putIfAbsent(key, body);
        await store.delete([key]);
        return outcome;
      },
    }),
    says: /could not be read after it was created/,
  },
];

for (const { name, wrong, says } of UNFIT) {
  test(`a store that ${name} is refused`, async () => {
    const bucket = new MemoryBucket();
    const store = memoryObjectStore({ bucket, name: "fake" });
    const unfit = overridden(store, wrong(store));
    await assert.rejects(probeObjectStore(unfit, random), (error: Error & { code?: string }) => {
      assert.equal(error.code, "STORE_UNFIT");
      assert.match(error.message, says);
      assert.match(error.message, /^memory:fake cannot hold a root: /);
      return true;
    });
    if (name !== "does not delete") assert.equal(bucket.size, 0);
  });
}

test("a store that is down is not unfit", async () => {
  const store = faultyObjectStore(memoryObjectStore(), { random, plan: noFaults });
  store.down();
  await assert.rejects(probeObjectStore(store, random), { code: "UNAVAILABLE" });
});
