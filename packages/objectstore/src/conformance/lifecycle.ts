import { isKarstError } from "@karst/runtime";
import assert from "node:assert/strict";
import type { CallOptions, ObjectStore } from "../object-store.ts";
import { assertBytes, assertRejects, type Case, listedKeys, patternOf } from "./case.ts";

type Call = (store: ObjectStore, options?: CallOptions) => Promise<unknown>;

const WRITES: Readonly<Record<string, Call>> = {
  put: (store, options) => store.put("new", patternOf(3_000_000), options),
  putIfAbsent: (store, options) => store.putIfAbsent("new", patternOf(3_000_000), options),
};

const CALLS: Readonly<Record<string, Call>> = {
  ...WRITES,
  putIfMatch: (store, options) => store.putIfMatch("new", patternOf(1), "etag", options),
  get: (store, options) => store.get("there", options),
  head: (store, options) => store.head("there", options),
  list: async (store, options) => {
    for await (const info of store.list("", options)) assert.ok(info);
  },
  delete: (store, options) => store.delete(["there"], options),
  createMultipart: (store, options) => store.createMultipart("new", options),
};

export const lifecycle: readonly Case[] = [
  ...Object.entries(CALLS).map(([name, call]): Case => ({
    name: `${name} on a closed store rejects with STORE_CLOSED`,
    run: async (store) => {
      await store.put("there", patternOf(1));
      await store.close();
      await assertRejects(call(store), "STORE_CLOSED", "closed");
      await store.close();
    },
  })),
  {
    name: "a list and an upload end with their store",
    run: async (store) => {
      for (const key of ["a/1", "b/2", "c/3"]) await store.put(key, patternOf(1));
      const upload = store.capabilities.multipart ? await store.createMultipart("new") : undefined;
      await upload?.part(1, patternOf(1));
      const list = store.list("")[Symbol.asyncIterator]();
      assert.equal((await list.next()).value?.key, "a/1");
      await store.close();
      if (upload !== undefined) {
        await assertRejects(upload.part(2, patternOf(1)), "STORE_CLOSED", "closed");
        await assertRejects(upload.complete(), "STORE_CLOSED", "closed");
      }
      // What it had read ahead it may still give.
      const rest = async (): Promise<void> => {
        for (let more = 0; more < 5; more += 1) if ((await list.next()).done === true) return;
      };
      await rest().catch((error: unknown) =>
        assert.ok(isKarstError(error, "closed"), error as Error),
      );
    },
  },
  {
    name: "close waits for the calls under way",
    run: async (store) => {
      const puts = Array.from({ length: 5 }, (_put, index) =>
        store.put(`a/${index}`, patternOf(100_000)),
      );
      await store.close();
      assert.equal(
        (await Promise.allSettled(puts)).filter((put) => put.status === "rejected").length,
        0,
      );
    },
  },
  ...Object.entries(CALLS).map(([name, call]): Case => ({
    name: `${name} with a signal that has aborted is not begun`,
    run: async (store) => {
      if (name === "putIfMatch" && !store.capabilities.putIfMatch) return;
      if (name === "createMultipart" && !store.capabilities.multipart) return;
      await store.put("there", patternOf(5));
      const reason = new Error("changed my mind");
      await assert.rejects(call(store, { signal: AbortSignal.abort(reason) }), {
        code: "UNAVAILABLE",
        kind: "unavailable",
        cause: reason,
      });
      assertBytes(await store.get("there"), patternOf(5));
      assert.deepEqual(await listedKeys(store, ""), ["there"]);
    },
  })),
  ...Object.entries(WRITES).map(([name, call]): Case => ({
    name: `${name} aborted under way has happened wholly, or not at all, and says what it knows`,
    run: async (store) => {
      const abort = new AbortController();
      const [outcome] = await Promise.allSettled([
        call(store, { signal: abort.signal }),
        Promise.resolve().then(() => abort.abort()),
      ]);
      const error: unknown = outcome.status === "rejected" ? outcome.reason : undefined;
      if (error !== undefined)
        assert.ok(isKarstError(error, "unavailable", "indeterminate"), error as Error);
      const info = await store.head("new");
      if (error === undefined) assert.ok(info !== undefined);
      if (isKarstError(error, "unavailable")) assert.equal(info, undefined);
      if (info !== undefined) assertBytes(await store.get("new"), patternOf(3_000_000));
      await store.put("next", patternOf(10));
      assertBytes(await store.get("next"), patternOf(10));
    },
  })),
];
