import { hasCode } from "@karst/runtime";
import assert from "node:assert/strict";
import { KEY_SEGMENT_LENGTH_MAX } from "../limits.ts";
import type { ObjectStore } from "../object-store.ts";
import {
  assertBytes,
  assertRejects,
  type Case,
  heldTogether,
  listedKeys,
  patternOf,
} from "./case.ts";

const LONG_SEGMENT = "s".repeat(KEY_SEGMENT_LENGTH_MAX);

function validKeys(lengthMax: number): readonly string[] {
  return [
    "a",
    "A",
    "0",
    "-",
    "_",
    "...",
    ".hidden",
    "a..b",
    "..a",
    "a/.b/c.",
    "-rf",
    "con/nul.txt",
    LONG_SEGMENT,
    `${LONG_SEGMENT}/${LONG_SEGMENT}/${"k".repeat(lengthMax - 2 * KEY_SEGMENT_LENGTH_MAX - 2)}`,
    "d/".repeat(Math.floor(lengthMax / 2) - 1) + "d",
  ];
}

function invalidKeys(lengthMax: number): readonly unknown[] {
  return [
    "",
    "/",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "./a",
    "../a",
    "a/./b",
    "a/../b",
    "a/..",
    "a\\b",
    "..\\a",
    "a b",
    "a\0",
    "a\n",
    "a%2e",
    "a@",
    "ä",
    "a:b",
    "a*",
    "~",
    "k".repeat(lengthMax + 1),
    "s".repeat(KEY_SEGMENT_LENGTH_MAX + 1),
    undefined,
    7,
  ];
}

/** Every call that takes a key. */
const CALLS: Readonly<Record<string, (store: ObjectStore, key: string) => Promise<unknown>>> = {
  put: (store, key) => store.put(key, patternOf(1)),
  putIfAbsent: (store, key) => store.putIfAbsent(key, patternOf(1)),
  get: (store, key) => store.get(key),
  head: (store, key) => store.head(key),
  delete: (store, key) => store.delete(["good", key]),
};

export function keys(lengthMax: number): readonly Case[] {
  return [
    {
      name: "every valid key names its own object",
      run: async (store) => {
        const valid = heldTogether(store, validKeys(lengthMax));
        for (const [salt, key] of valid.entries()) await store.put(key, patternOf(20, salt));
        for (const [salt, key] of valid.entries())
          assertBytes(await store.get(key), patternOf(20, salt));
        assert.deepEqual(await listedKeys(store, ""), valid.toSorted(byCodeUnit));
      },
    },
    {
      name: "a key may begin another key, or is refused where it would",
      run: async (store) => {
        if (!store.capabilities.nestedKeys) {
          await store.put("a/b", patternOf(20));
          for (const key of ["a", "a/b/c"]) {
            const outcome = await store.putIfAbsent(key, patternOf(10)).catch((error: unknown) => {
              assert.ok(hasCode(error, "UNSUPPORTED", "UNAVAILABLE"), String(error));
              return "refused";
            });
            if (outcome === "refused") assert.equal(await store.head(key), undefined);
            else assertBytes(await store.get(key), patternOf(10));
          }
          assertBytes(await store.get("a/b"), patternOf(20));
          return;
        }
        const nested = ["a", "a/b", "a/b/c", "a/b-c", "a/b.c", "ab"];
        for (const [salt, key] of nested.entries()) await store.put(key, patternOf(20, salt));
        for (const [salt, key] of nested.entries())
          assertBytes(await store.get(key), patternOf(20, salt));
        await store.delete(["a", "a/b"]);
        assert.deepEqual(await listedKeys(store, ""), ["a/b-c", "a/b.c", "a/b/c", "ab"]);
      },
    },
    {
      name: "an invalid key is refused by every call, with no effect",
      run: async (store) => {
        await store.put("good", patternOf(1));
        for (const key of invalidKeys(lengthMax)) {
          for (const [name, call] of Object.entries(CALLS)) {
            await assert.rejects(
              async () => call(store, key as string),
              { code: "INVALID_KEY", kind: "invalid" },
              `${name} of ${JSON.stringify(key)}`,
            );
          }
        }
        assert.deepEqual(await listedKeys(store, ""), ["good"]);
      },
    },
    {
      name: "a prefix that begins no valid key is refused",
      run: async (store) => {
        for (const prefix of [
          "/",
          "/a",
          "a//",
          "../",
          "a/../",
          "./a",
          "a b",
          "a\\",
          "ä",
          "k".repeat(lengthMax + 1),
        ]) {
          await assertRejects(listedKeys(store, prefix), "INVALID_KEY", "invalid");
          await assertRejects(
            listedKeys(store, "", { startAfter: prefix }),
            "INVALID_KEY",
            "invalid",
          );
        }
        for (const prefix of ["", "a/", ".", "..", "a/.", "a/..", "..."])
          assert.deepEqual(await listedKeys(store, prefix), []);
      },
    },
  ];
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : 1;
}
