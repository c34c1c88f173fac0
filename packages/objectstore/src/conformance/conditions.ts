import assert from "node:assert/strict";
import { assertBytes, assertRejects, type Case, patternOf } from "./case.ts";

/** Conditional writes: what safety rests on. */
export const conditions: readonly Case[] = [
  {
    name: "put-if-absent creates once",
    run: async (store) => {
      assert.equal(await store.putIfAbsent("a/b", patternOf(100)), "created");
      assert.equal(await store.putIfAbsent("a/b", patternOf(50, 1)), "exists");
      assert.equal(await store.putIfAbsent("a/b", patternOf(100)), "exists");
      assertBytes(await store.get("a/b"), patternOf(100));
    },
  },
  {
    name: "put-if-absent finds what put has written, and what has been deleted it creates again",
    run: async (store) => {
      await store.put("a", patternOf(100));
      assert.equal(await store.putIfAbsent("a", patternOf(50, 1)), "exists");
      await store.delete(["a"]);
      assert.equal(await store.putIfAbsent("a", patternOf(50, 1)), "created");
      assertBytes(await store.get("a"), patternOf(50, 1));
    },
  },
  {
    name: "of twenty concurrent put-if-absents exactly one creates",
    run: async (store) => {
      for (let round = 0; round < 5; round += 1) {
        const key = `race/${round}/slot`;
        const candidates = Array.from({ length: 20 }, (_body, salt) =>
          patternOf(3000 + salt, salt),
        );
        const outcomes = await Promise.all(
          candidates.map(async (body) => {
            const outcome = await store.putIfAbsent(key, body);
            // Whoever has an answer sees the winner's object.
            const seen = await store.get(key);
            return { outcome, seen, body };
          }),
        );
        const winners = outcomes.filter(({ outcome }) => outcome === "created");
        assert.equal(winners.length, 1);
        for (const { seen } of outcomes) assertBytes(seen, winners[0]?.body ?? new Uint8Array(0));
      }
    },
  },
  {
    name: "put-if-match replaces only the version that was seen, or is unsupported",
    run: async (store) => {
      await store.put("a", patternOf(10));
      const etag = (await store.head("a"))?.etag ?? "";
      assert.notEqual(etag, "");
      if (!store.capabilities.putIfMatch) {
        await assertRejects(store.putIfMatch("a", patternOf(20), etag), "UNSUPPORTED", "invalid");
        assertBytes(await store.get("a"), patternOf(10));
        return;
      }
      assert.equal(await store.putIfMatch("a", patternOf(20), etag), "replaced");
      assert.equal(await store.putIfMatch("a", patternOf(30), etag), "mismatch");
      assert.equal(await store.putIfMatch("missing", patternOf(30), etag), "mismatch");
      assertBytes(await store.get("a"), patternOf(20));
      const next = (await store.head("a"))?.etag ?? "";
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_body, salt) =>
          // None of them what is there: where an etag is a hash, the same content is the same version.
          store.putIfMatch("a", patternOf(20, salt + 1), next),
        ),
      );
      assert.equal(outcomes.filter((outcome) => outcome === "replaced").length, 1);
    },
  },
];
