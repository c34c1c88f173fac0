import assert from "node:assert/strict";
import { codecById, codecTwins, decodeBatch, encodeBatch, openBatch } from "@karst/records";
import { concatBytes } from "@karst/runtime";
import { test } from "vitest";
import { decompressedBytesMax } from "../../src/limits.ts";
import { checkSnappyBlock } from "../../src/codecs/snappy-block.ts";
import { IMPLEMENTATIONS, implementationsOf, outcomeOf } from "./implementations.ts";

const MiB = 1024 * 1024;
const XERIAL = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1];

test.each(IMPLEMENTATIONS)(
  "%s: a bomb is refused at the limit, and fits below it",
  async (_, codec) => {
    const bomb = codec.compress(new Uint8Array(8 * MiB));
    assert.equal(await outcomeOf(codec, bomb, 100_000), "DECOMPRESSED_TOO_LARGE");
    assert.equal((await outcomeOf(codec, bomb, 8 * MiB)).length, 8 * MiB);
    // Memory that it needed is not kept; what comes next works as before.
    assert.equal((await outcomeOf(codec, codec.compress(new Uint8Array(9)), 9)).length, 9);
  },
);

// What each claims is four gigabytes and more; nothing of that may be allocated.
const CLAIMS: readonly (readonly [string, string, readonly number[]])[] = [
  ["snappy", "a raw block of 4 GiB", [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 1]],
  [
    "snappy",
    "a framed block of 4 GiB",
    [...XERIAL, 0, 0, 0, 7, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 1],
  ],
  [
    "lz4",
    "a frame of 2^62 bytes",
    [0x04, 0x22, 0x4d, 0x18, 0x68, 0x40, 0, 0, 0, 0, 0, 0, 0, 0x40, 0xa, 0, 0, 0, 0],
  ],
  // One block of one byte 128 Ki times; each costs four bytes.
  [
    "zstd",
    "blocks of one byte",
    [0x28, 0xb5, 0x2f, 0xfd, 0, 0x58, ...Array(40).fill([2, 0, 0x10, 9]).flat(), 1, 0, 0],
  ],
];

test.each(CLAIMS)("%s: %s", async (name, _, bytes) => {
  for (const [, codec] of implementationsOf(name)) {
    assert.equal(
      await outcomeOf(codec, new Uint8Array(bytes), 5 * MiB - 1),
      "DECOMPRESSED_TOO_LARGE",
    );
  }
});

test("a zstd frame that declares more than its blocks can become is corrupt", async () => {
  const frame = new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0]);
  for (const [, codec] of implementationsOf("zstd")) {
    assert.equal(await outcomeOf(codec, frame, MiB), "CORRUPT_BATCH");
  }
});

test("zstd: frames in a row, skippable ones between them, and many of them", async () => {
  const hello = codecTwins(4).portable.compress(new Uint8Array([1, 2, 3]));
  const skippable = new Uint8Array([0x5f, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2]);
  for (const [, codec] of implementationsOf("zstd")) {
    const three = await outcomeOf(
      codec,
      concatBytes([skippable, hello, skippable, hello, hello]),
      9,
    );
    assert.deepEqual(three, new Uint8Array([1, 2, 3, 1, 2, 3, 1, 2, 3]));
    assert.equal(
      (await outcomeOf(codec, concatBytes(Array(2_000).fill(hello)), MiB)).length,
      6_000,
    );
    const over = concatBytes([hello, hello, hello]);
    assert.equal(await outcomeOf(codec, over, 8), "DECOMPRESSED_TOO_LARGE");
    assert.equal(await outcomeOf(codec, over.with(4, (over[4] ?? 0) | 1), 9), "CORRUPT_BATCH");
  }
});

test("snappy: streams in a row, other versions, blocks that lie", async () => {
  for (const [name, codec] of implementationsOf("snappy")) {
    const stream = codec.compress(new Uint8Array([1, 2, 3]));
    const both = await outcomeOf(codec, concatBytes([stream, stream]), 6);
    assert.deepEqual(both, new Uint8Array([1, 2, 3, 1, 2, 3]), name);
    assert.equal(await outcomeOf(codec, stream.with(15, 2), 9), "CORRUPT_BATCH");
    // Raw: two literals where three are declared; a copy from before the beginning; a literal of -5 bytes, which decoders with
    // 32-bit lengths walk for ever.
    for (const block of [
      [3, 4, 1, 2],
      [5, 0, 1, 1, 9],
      [8, 0xfc, 0xfa, 0xff, 0xff, 0xff, 1],
    ]) {
      assert.equal(await outcomeOf(codec, new Uint8Array(block), 9), "CORRUPT_BATCH");
      if (block.length > 4) assert.throws(() => checkSnappyBlock(new Uint8Array(block)));
    }
  }
});

test("what small batches may become is bounded absolutely, larger ones by their ratio too", () => {
  assert.equal(decompressedBytesMax(10), 2 * MiB);
  assert.equal(decompressedBytesMax(10_000), 11_000_000);
  assert.equal(decompressedBytesMax(1_000_000), 64 * MiB);
  const value = new Uint8Array(1_000_000);
  const batch = encodeBatch([{ timestampMs: 1, value }], { codec: "zstd" });
  assert.ok(batch.length < 200);
  assert.equal(decodeBatch(batch)[0]?.value?.length, 1_000_000);
});

test("records are left as they are where compressing saves nothing, or could not be undone", () => {
  const codecOf = (value: Uint8Array): number | undefined => {
    const batch = encodeBatch([{ timestampMs: 1, value }], {
      codec: "zstd",
      compress: "if-smaller",
    });
    assert.deepEqual(decodeBatch(batch)[0]?.value, value);
    return batch[22];
  };
  assert.equal(codecOf(new Uint8Array([1])), 0);
  assert.equal(codecOf(new Uint8Array(100)), 4);
  const large = new Uint8Array(3 * MiB);
  assert.equal(codecOf(large), 0);
  const always = encodeBatch([{ timestampMs: 1, value: large }], { codec: "zstd" });
  assert.throws(() => openBatch(always), { code: "DECOMPRESSED_TOO_LARGE" });
  assert.equal(codecById(4).name, "zstd");
});
