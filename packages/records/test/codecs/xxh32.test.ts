import assert from "node:assert/strict";
import { test } from "vitest";
import { xxh32 } from "../../src/codecs/xxh32.ts";
import { text } from "../batches.ts";

test.each([
  ["", 0, 0x02cc5d05],
  ["a", 0, 0x550d7456],
  ["abc", 0, 0x32d153ff],
  ["Nobody inspects the spammish repetition", 0, 0xe2293b2f],
  ["", 0x9e3779b1, 0x36b78ae7],
] as const)("of %j with seed %i", (input, seed, hash) => {
  assert.equal(xxh32(text(input), seed).toString(16), hash.toString(16));
});
