import assert from "node:assert/strict";
import { test } from "vitest";
import { checkTopicName } from "@karst/core";
import { foldedName } from "../../src/topics/topic-name.ts";

test.each(["a", "orders", "A.b_c-9", "...", "x".repeat(249), "__consumer_offsets"])(
  "%j is legal",
  (name) => {
    assert.doesNotThrow(() => checkTopicName(name));
  },
);

test.each(["", ".", "..", "x".repeat(250), "a b", "a/b", "ä", "a\n", "a\0"])(
  "%j is not",
  (name) => {
    assert.throws(() => checkTopicName(name), { kind: "invalid", code: "INVALID_TOPIC_NAME" });
  },
);

test("dots and underscores are the same in what collides", () => {
  assert.equal(foldedName("a.b_c"), foldedName("a_b.c"));
  assert.notEqual(foldedName("a.b"), foldedName("a-b"));
});
