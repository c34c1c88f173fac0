import assert from "node:assert/strict";
import { type Case, heldTogether, listedKeys, patternOf, putAll } from "./case.ts";

/** In the order of their bytes: `-` and `.` come before `/`, digits and letters after it. */
const ORDERED: readonly string[] = [
  "a",
  "a-",
  "a-/b",
  "a.b",
  "a/-",
  "a/0",
  "a/0/1",
  "a/00",
  "a/b",
  "a/b-c/d",
  "a/b/c",
  "a/b0",
  "a0",
  "aB",
  "a_b",
  "ab",
  "b/c/d/e",
  "b/c/d/f",
];

export const lists: readonly Case[] = [
  {
    name: "an empty store lists nothing",
    run: async (store) => {
      assert.deepEqual(await listedKeys(store, ""), []);
      assert.deepEqual(await listedKeys(store, "a/b/"), []);
    },
  },
  {
    name: "a list is in key order, across directories",
    run: async (store) => {
      const ordered = heldTogether(store, ORDERED);
      await putAll(store, ordered.toReversed());
      assert.deepEqual(await listedKeys(store, ""), ordered);
    },
  },
  {
    name: "a prefix is any beginning of keys, whether or not it ends at a slash",
    run: async (store) => {
      const ordered = heldTogether(store, ORDERED);
      await putAll(store, ordered);
      for (const prefix of [
        "a",
        "a/",
        "a/b",
        "a/b/",
        "a/b-",
        "a/0",
        "a-",
        "b/c/d/",
        "b/c/d/e",
        "b/c/d/ee",
        "c",
        "a/b/c/d",
        "aB",
      ]) {
        assert.deepEqual(
          await listedKeys(store, prefix),
          ordered.filter((key) => key.startsWith(prefix)),
          prefix,
        );
      }
    },
  },
  {
    name: "startAfter leaves out what is not greater, whether or not it exists",
    run: async (store) => {
      const ordered = heldTogether(store, ORDERED);
      await putAll(store, ordered);
      for (const startAfter of [
        ...ORDERED,
        "a/",
        "a/a",
        "a/b/",
        "a/b/b",
        "a/b/d",
        "b/c",
        "b/d",
        "z",
        "-",
      ]) {
        for (const prefix of ["", "a", "a/", "a/b", "b/c/"]) {
          assert.deepEqual(
            await listedKeys(store, prefix, { startAfter }),
            ordered.filter((key) => key.startsWith(prefix) && key > startAfter),
            `${prefix} after ${startAfter}`,
          );
        }
      }
    },
  },
  {
    name: "a list of 1,100 objects in one place and 60 elsewhere is complete",
    run: async (store) => {
      const flat = Array.from(
        { length: 1_100 },
        (_key, index) => `log/${String(index).padStart(20, "0")}`,
      );
      const spread = Array.from(
        { length: 60 },
        (_key, index) => `objects/${index % 7}/${index % 3}/${index}`,
      );
      await putAll(store, [...flat, ...spread]);
      assert.deepEqual(await listedKeys(store, "log/"), flat);
      assert.deepEqual(
        await listedKeys(store, "log/", { startAfter: flat[1_050] ?? "" }),
        flat.slice(1_051),
      );
      const all = await listedKeys(store, "");
      assert.equal(all.length, flat.length + spread.length);
      assert.deepEqual(
        all,
        [...flat, ...spread].toSorted((a, b) => (a < b ? -1 : 1)),
      );
    },
  },
  {
    name: "a list shows each object written before it, and none deleted before it",
    run: async (store) => {
      for (let round = 0; round < 10; round += 1) {
        await store.put(`a/${round}`, patternOf(1));
        assert.equal((await listedKeys(store, "a/")).at(-1), `a/${round}`);
      }
      await store.delete(["a/3", "a/9"]);
      assert.deepEqual(await listedKeys(store, "a/"), [
        "a/0",
        "a/1",
        "a/2",
        "a/4",
        "a/5",
        "a/6",
        "a/7",
        "a/8",
      ]);
    },
  },
  {
    name: "a list goes on while what it has shown is deleted, and may be left at any point",
    run: async (store) => {
      const many = Array.from(
        { length: 40 },
        (_key, index) => `a/${index % 4}/${index + 10}`,
      ).toSorted();
      await putAll(store, many);
      const seen: string[] = [];
      for await (const { key } of store.list("a/")) {
        seen.push(key);
        await store.delete([key]);
      }
      assert.deepEqual(seen, many);
      await putAll(store, many);
      for await (const { key } of store.list("a/")) {
        assert.equal(key, many[0]);
        break;
      }
    },
  },
];
