import assert from "node:assert/strict";
import { test } from "vitest";
import { murmur2, partitionForKey } from "@karst/records";
import { text } from "./batches.ts";

// Source: org.apache.kafka.common.utils.UtilsTest, and for the rest the murmur2 of kafkajs 2.2.4.
test.each([
  ["21", -973932308],
  ["foobar", -790332482],
  ["a-little-bit-long-string", -985981536],
  ["a-little-bit-longer-string", -1486304829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
  ["abc", 479470107],
  ["", 275646681],
])("murmur2 of %j", (key, hash) => {
  assert.equal(murmur2(text(key)), hash);
});

test("a key's partition is that of Kafka's clients", () => {
  assert.equal(partitionForKey(text("foobar"), 10), ((-790332482 & 0x7fffffff) >>> 0) % 10);
  assert.equal(partitionForKey(text("foobar"), 1), 0);
});
