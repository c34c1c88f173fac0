import { memoryObjectStore, prefixedObjectStore } from "@karst/objectstore";
import assert from "node:assert/strict";
import { test } from "vitest";

test("keys are below the prefix outside, and without it inside", async () => {
  const inner = memoryObjectStore({ name: "m" });
  await inner.put("p/qq/other", new Uint8Array(1));
  const store = prefixedObjectStore(inner, "p/q");
  await store.put("a/b", new Uint8Array(2));
  await store.put("c", new Uint8Array(3));
  assert.equal(store.location, "memory:m/p/q");
  assert.equal((await inner.head("p/q/a/b"))?.bytes, 2);
  assert.equal((await store.head("a/b"))?.key, "a/b");
  const keys: string[] = [];
  for await (const info of store.list("", { startAfter: "a/b" })) keys.push(info.key);
  assert.deepEqual(keys, ["c"]);
  await store.delete(["a/b", "c"]);
  assert.ok((await inner.head("p/qq/other")) !== undefined);
});

test("a prefix is a valid key, and no key leads out of it", async () => {
  for (const prefix of ["", "p/", "/p", "../p"])
    assert.throws(() => prefixedObjectStore(memoryObjectStore(), prefix), { code: "INVALID_KEY" });
  const store = prefixedObjectStore(memoryObjectStore(), "p");
  await assert.rejects(store.get("../a"), { code: "INVALID_KEY", message: /key "\.\.\/a"/ });
});
