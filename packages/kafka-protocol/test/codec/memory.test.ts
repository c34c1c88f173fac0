import assert from "node:assert/strict";
import { concatBytes } from "@karst/runtime";
import { deleteTopicsApi, ELEMENTS_MAX } from "@karst/kafka-protocol";
import fc from "fast-check";
import { test } from "vitest";
import { versionedCodecs } from "../support/codecs.ts";
import { assertMalformed, decodedOrMalformed } from "../support/malformed.ts";
import { messages } from "../support/messages.ts";

const MiB = 1024 * 1024;

/** Lengths and counts as a liar writes them: int16, int32 and compact. */
const lies = ["7fff", "7fffffff", "ffffffff07", "ffff07"].map((hex) => Buffer.from(hex, "hex"));

test("a claimed length or count costs nothing, wherever it stands", () => {
  const before = process.memoryUsage();
  for (const { codec, version } of versionedCodecs) {
    const [sample] = fc.sample(messages(codec.fields, version), { numRuns: 1, seed: 7 });
    const bytes = codec.encode(version, sample?.input as never).subarray(0, 60);
    for (let at = 0; at <= bytes.length; at += 1) {
      for (const lie of lies) {
        const hostile = concatBytes([bytes.subarray(0, at), lie, bytes.subarray(at + lie.length)]);
        decodedOrMalformed(() => codec.decode(version, hostile));
      }
    }
  }
  const after = process.memoryUsage();
  // Off the heap nothing is collected in between, unless it was allocated.
  assert.ok(after.arrayBuffers - before.arrayBuffers < 64 * MiB);
  assert.ok(after.heapTotal - before.heapTotal < 256 * MiB);
});

/** A DeleteTopics v4 request: one byte per element is as dense as arrays get. */
function emptyNames(count: number): Uint8Array {
  const prefix: number[] = [];
  for (let rest = count + 1; ; rest >>>= 7) {
    prefix.push(rest < 0x80 ? rest : (rest & 0x7f) | 0x80);
    if (rest < 0x80) break;
  }
  return concatBytes([Uint8Array.from(prefix), new Uint8Array(count).fill(1), new Uint8Array(5)]);
}

test("the densest message costs a small multiple of its bytes", () => {
  const bytes = emptyNames(ELEMENTS_MAX);
  const before = process.memoryUsage().heapUsed;
  const decoded = deleteTopicsApi.request.decode(4, bytes);
  const cost = process.memoryUsage().heapUsed - before;
  assert.equal(decoded.topicNames.length, ELEMENTS_MAX);
  assert.ok(cost < 40 * bytes.length, `${cost} bytes of heap for ${bytes.length}`);
});

test("elements are counted over the whole message, and the limit can be set", () => {
  assertMalformed(
    () => deleteTopicsApi.request.decode(4, emptyNames(ELEMENTS_MAX + 1)),
    /too many array elements/,
  );
  const ten = emptyNames(10);
  assert.equal(deleteTopicsApi.request.decode(4, ten, { elementsMax: 10 }).topicNames.length, 10);
  assertMalformed(
    () => deleteTopicsApi.request.decode(4, ten, { elementsMax: 9 }),
    /too many array elements/,
  );
});
