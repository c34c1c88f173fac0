import assert from "node:assert/strict";
import { assertRejects, type Case, listedKeys, patternOf, putAll } from "./case.ts";

export const deletes: readonly Case[] = [
  {
    name: "delete removes many, and does not mind the missing",
    run: async (store) => {
      const there = Array.from({ length: 120 }, (_key, index) => `a/${index % 5}/${index}`);
      await putAll(store, [...there, "keep"]);
      await store.delete([...there, "missing", "a", "a/1", "not/there/at/all"]);
      assert.deepEqual(await listedKeys(store, ""), ["keep"]);
      await assertRejects(store.get("a/1/1"), "OBJECT_NOT_FOUND", "not_found");
      await store.delete(there);
    },
  },
  {
    name: "delete of nothing, and of one key twice",
    run: async (store) => {
      await store.delete([]);
      await store.put("a", patternOf(1));
      await store.delete(["a", "a"]);
      assert.equal(await store.head("a"), undefined);
    },
  },
  {
    name: "objects can be written where others are being deleted",
    run: async (store) => {
      for (let round = 0; round < 20; round += 1) {
        await store.put(`d/${round % 2}/old`, patternOf(1));
        await Promise.all([
          store.delete([`d/${round % 2}/old`]),
          store.put(`d/${round % 2}/put-${round}`, patternOf(2)),
          store.putIfAbsent(`d/${round % 2}/create-${round}`, patternOf(3)),
        ]);
      }
      assert.equal((await listedKeys(store, "d/")).length, 40);
    },
  },
];
