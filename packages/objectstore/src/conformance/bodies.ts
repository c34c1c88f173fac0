import assert from "node:assert/strict";
import { assertBytes, type Case, patternOf } from "./case.ts";

const MIB = 1024 * 1024;

/** What goes in comes out. */
export const bodies: readonly Case[] = [
  {
    name: "an object has the bytes that were put",
    run: async (store) => {
      await store.put("a", patternOf(1000));
      assertBytes(await store.get("a"), patternOf(1000));
    },
  },
  {
    name: "an empty object exists",
    run: async (store) => {
      await store.put("a", new Uint8Array(0));
      await store.put("b", []);
      assert.equal(await store.putIfAbsent("c", []), "created");
      for (const key of ["a", "b", "c"]) {
        assert.equal((await store.get(key)).length, 0);
        assert.equal((await store.head(key))?.bytes, 0);
        assert.equal(await store.putIfAbsent(key, patternOf(1)), "exists");
      }
    },
  },
  {
    name: "objects of 8 MiB, and one byte more",
    run: async (store) => {
      for (const size of [8 * MIB, 8 * MIB + 1]) {
        await store.put(`size-${size}`, patternOf(size));
        assertBytes(await store.get(`size-${size}`), patternOf(size));
      }
    },
  },
  {
    name: "a body in parts is their concatenation",
    run: async (store) => {
      const whole = patternOf(3 * MIB);
      const cuts = [
        0,
        0,
        1,
        7,
        7,
        1000,
        70_000,
        70_001,
        MIB,
        MIB + 1,
        2 * MIB + 300_000,
        whole.length,
      ];
      const parts = cuts.slice(1).map((cut, index) => whole.subarray(cuts[index], cut));
      await store.put("parts", parts);
      assertBytes(await store.get("parts"), whole);
      assert.equal(await store.putIfAbsent("parts-if-absent", parts), "created");
      assertBytes(await store.get("parts-if-absent"), whole);
      await store.put(
        "many",
        Array.from({ length: 5_000 }, (_part, index) =>
          whole.subarray(index * 13, (index + 1) * 13),
        ),
      );
      assertBytes(await store.get("many"), whole.subarray(0, 65_000));
    },
  },
  {
    name: "what the caller does to a buffer after the call does not change the object",
    run: async (store) => {
      const body = patternOf(5000);
      await store.put("put", body);
      await store.putIfAbsent("create", [body, body]);
      body.fill(0);
      assertBytes(await store.get("put"), patternOf(5000));
      assertBytes((await store.get("create")).subarray(5000), patternOf(5000));
    },
  },
  {
    name: "bytes that were read are the caller's own",
    run: async (store) => {
      await store.put("a", patternOf(5000));
      const first = await store.get("a");
      const second = await store.get("a");
      const range = await store.get("a", { range: { start: 10, end: 20 } });
      first.fill(0);
      range.fill(0);
      assertBytes(second, patternOf(5000));
      assertBytes(await store.get("a"), patternOf(5000));
      assert.ok(range.buffer.byteLength < 5000 || range.buffer !== second.buffer);
    },
  },
  {
    name: "a body may be a view of shared memory",
    run: async (store) => {
      const shared = new Uint8Array(new SharedArrayBuffer(2 * MIB));
      shared.set(patternOf(shared.length));
      await store.put("view", shared.subarray(5, 1005));
      await store.put("views", [shared.subarray(0, MIB), shared.subarray(MIB)]);
      assertBytes(await store.get("view"), patternOf(1005).subarray(5));
      const back = await store.get("views");
      assertBytes(back, patternOf(2 * MIB));
      assert.ok(back.buffer instanceof ArrayBuffer, "what is read is not shared");
    },
  },
  {
    name: "put replaces, and a longer object leaves nothing behind a shorter one",
    run: async (store) => {
      await store.put("a", patternOf(5000));
      await store.put("a", patternOf(10, 1));
      assertBytes(await store.get("a"), patternOf(10, 1));
      assert.equal((await store.head("a"))?.bytes, 10);
    },
  },
  {
    name: "of concurrent puts the object is one, whole",
    run: async (store) => {
      const candidates = Array.from({ length: 10 }, (_body, salt) =>
        patternOf(20_000 + salt, salt),
      );
      await Promise.all(candidates.map((body) => store.put("a", body)));
      const kept = await store.get("a");
      assertBytes(kept, candidates[kept.length - 20_000] ?? new Uint8Array(0));
    },
  },
  {
    name: "a body that is not bytes is the programmer's mistake",
    run: async (store) => {
      await assert.rejects(store.put("a", "text" as unknown as Uint8Array), TypeError);
      await assert.rejects(store.putIfAbsent("a", [1, 2] as unknown as Uint8Array[]), TypeError);
      assert.equal(await store.head("a"), undefined);
    },
  },
];
