import assert from "node:assert/strict";
import { assertBytes, assertRejects, type Case, listed, patternOf } from "./case.ts";

export const reads: readonly Case[] = [
  {
    name: "a missing object is not found",
    run: async (store) => {
      await store.put("a/b", patternOf(1));
      for (const key of ["missing", "a", "a/b/c", "a/bb", "a/"]) {
        if (key.endsWith("/")) continue;
        await assertRejects(store.get(key), "OBJECT_NOT_FOUND", "not_found");
        await assertRejects(
          store.get(key, { range: { start: 0, end: 1 } }),
          "OBJECT_NOT_FOUND",
          "not_found",
        );
        assert.equal(await store.head(key), undefined);
      }
    },
  },
  {
    name: "a range read returns its bytes and no others",
    run: async (store) => {
      const whole = patternOf(100_000);
      await store.put("a", whole);
      for (const [start, end] of [
        [0, 1],
        [0, 100_000],
        [99_999, 100_000],
        [4095, 4097],
        [1, 65_537],
      ] as const) {
        assertBytes(await store.get("a", { range: { start, end } }), whole.subarray(start, end));
      }
    },
  },
  {
    name: "a range that is not within the object is out of range",
    run: async (store) => {
      await store.put("a", patternOf(100));
      await store.put("empty", []);
      for (const [start, end] of [
        [0, 101],
        [100, 101],
        [100, 100],
        [5, 5],
        [6, 5],
        [-1, 5],
        [0.5, 5],
        [0, Number.NaN],
        [0, Number.POSITIVE_INFINITY],
        [2 ** 53, 2 ** 53 + 2],
      ] as const) {
        await assertRejects(
          store.get("a", { range: { start, end } }),
          "RANGE_NOT_SATISFIABLE",
          "out_of_range",
        );
      }
      await assertRejects(
        store.get("empty", { range: { start: 0, end: 1 } }),
        "RANGE_NOT_SATISFIABLE",
        "out_of_range",
      );
      await assertRejects(
        store.get("empty", { range: { start: 0, end: 0 } }),
        "RANGE_NOT_SATISFIABLE",
        "out_of_range",
      );
    },
  },
  {
    name: "head and list say the same of an object, as long as it stays the same",
    run: async (store) => {
      await store.put("a/b", patternOf(1234));
      const info = await store.head("a/b");
      assert.equal(info?.key, "a/b");
      assert.equal(info.bytes, 1234);
      assert.ok(info.etag.length > 0);
      assert.deepEqual(await store.head("a/b"), info);
      assert.deepEqual(await listed(store, "a/"), [info]);
    },
  },
];
