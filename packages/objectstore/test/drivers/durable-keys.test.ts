import assert from "node:assert/strict";
import { test } from "vitest";
import { DurableKeys } from "../../src/drivers/file/durable-keys.ts";
import { DURABLE_KEYS_MAX } from "../../src/limits.ts";

test("a key is known with its size, and only with what was seen since the last change", () => {
  const keys = new DurableKeys();
  const { mark } = keys;
  keys.add("a", 5, mark);
  assert.ok(keys.has("a", 5) && !keys.has("a", 6) && keys.hasName("a"));
  keys.beginChange("b");
  keys.endChange("b", { tag: "durable", bytes: 7 });
  assert.ok(keys.has("b", 7));
  keys.add("c", 1, mark);
  assert.ok(!keys.has("c", 1));
});

test("while a key changes nothing is known of it, and after it what the change says", () => {
  const keys = new DurableKeys();
  keys.add("a", 5, keys.mark);
  keys.beginChange("a");
  assert.ok(!keys.has("a", 5));
  keys.add("a", 5, keys.mark);
  keys.endChange("a", { tag: "unchanged" });
  assert.ok(keys.has("a", 5));
  keys.beginChange("a");
  keys.endChange("a", { tag: "unsure" });
  assert.ok(!keys.hasName("a"));
});

test("of changes at the same time nothing is known afterwards", () => {
  const keys = new DurableKeys();
  keys.beginChange("a");
  keys.beginChange("a");
  keys.endChange("a", { tag: "durable", bytes: 5 });
  keys.endChange("a", { tag: "durable", bytes: 5 });
  assert.ok(!keys.has("a", 5));
});

test("the keys used longest ago are forgotten first", () => {
  const keys = new DurableKeys();
  for (let index = 0; index < DURABLE_KEYS_MAX; index += 1) keys.add(`k${index}`, 1, keys.mark);
  assert.ok(keys.has("k0", 1));
  keys.add("one more", 1, keys.mark);
  assert.ok(keys.has("k0", 1) && !keys.has("k1", 1) && keys.has("one more", 1));
});
