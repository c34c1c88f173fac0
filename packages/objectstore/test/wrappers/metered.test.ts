import {
  faultyObjectStore,
  memoryObjectStore,
  meteredObjectStore,
  noFaults,
} from "@karst/objectstore";
import type { Metrics } from "@karst/runtime";
import { SeededRandom } from "@karst/runtime/testing";
import assert from "node:assert/strict";
import { test } from "vitest";

test("requests, bytes and failures are counted by kind", async () => {
  const counts = new Map<string, number>();
  const metrics: Metrics = {
    counter: (name) => ({ add: (amount) => counts.set(name, (counts.get(name) ?? 0) + amount) }),
    gauge: () => ({ set: () => assert.fail("no gauges") }),
  };
  const faulty = faultyObjectStore(memoryObjectStore(), {
    random: new SeededRandom(1),
    plan: noFaults,
  });
  const store = meteredObjectStore(faulty, metrics);
  await store.put("a", new Uint8Array(100));
  await store.put("b", [new Uint8Array(10), new Uint8Array(20)]);
  await store.putIfAbsent("a", new Uint8Array(7));
  await store.get("a");
  await store.get("a", { range: { start: 0, end: 5 } });
  await store.head("a");
  for await (const info of store.list("")) assert.ok(info);
  await store.delete(["a", "b"]);
  await assert.rejects(store.get("a"));
  const upload = await store.createMultipart("m");
  await upload.part(1, new Uint8Array(50));
  await upload.complete();
  faulty.down();
  await assert.rejects(store.put("a", new Uint8Array(100)));
  await assert.rejects(store.list("")[Symbol.asyncIterator]().next());
  assert.deepEqual(Object.fromEntries(counts), {
    karst_objectstore_complete_multipart_requests: 1,
    karst_objectstore_create_multipart_requests: 1,
    karst_objectstore_delete_requests: 1,
    karst_objectstore_get_bytes: 105,
    karst_objectstore_get_requests: 3,
    karst_objectstore_head_requests: 1,
    karst_objectstore_list_entries: 2,
    karst_objectstore_list_failures: 1,
    karst_objectstore_list_requests: 2,
    karst_objectstore_part_bytes: 50,
    karst_objectstore_part_requests: 1,
    karst_objectstore_put_bytes: 130,
    karst_objectstore_put_failures: 1,
    karst_objectstore_put_if_absent_bytes: 7,
    karst_objectstore_put_if_absent_requests: 1,
    karst_objectstore_put_requests: 3,
  });
});
