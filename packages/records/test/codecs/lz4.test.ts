import assert from "node:assert/strict";
import { concatBytes, viewOf } from "@karst/runtime";
import { test } from "vitest";
import { lz4BlockBytes, lz4WithHistory } from "../../src/codecs/lz4-block.ts";
import { xxh32 } from "../../src/codecs/xxh32.ts";
import { text } from "../batches.ts";
import { implementationsOf, outcomeOf } from "./implementations.ts";

const MAX = 1_000_000;
const END = [0, 0, 0, 0];

/** A frame with these flags and a right header checksum. */
function frame(
  flags: number,
  rest: readonly number[],
  options: { readonly size?: readonly number[]; readonly descriptor?: number } = {},
): Uint8Array {
  const header = [flags, options.descriptor ?? 0x40, ...(options.size ?? [])];
  const checksum = (xxh32(new Uint8Array(header)) >>> 8) & 0xff;
  return new Uint8Array([0x04, 0x22, 0x4d, 0x18, ...header, checksum, ...rest]);
}

const stored = [3, 0, 0, 0x80, 97, 98, 99];
// Four bytes of the block before it, over again, then nine literals: encoders end every block with some.
const linked = [13, 0, 0, 0, 0x00, 4, 0, 0x90, 49, 50, 51, 52, 53, 54, 55, 56, 57];

for (const [name, codec] of implementationsOf("lz4")) {
  const opened = async (bytes: Uint8Array, bytesMax: number = MAX): Promise<string> => {
    const outcome = await outcomeOf(codec, bytes, bytesMax);
    return typeof outcome === "string" ? outcome : new TextDecoder().decode(outcome);
  };

  test(`${name}: writes the header that Kafka's clients write, stores what does not compress`, () => {
    assert.deepEqual(
      [...codec.compress(text("abc"))],
      [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, ...stored, ...END],
    );
    const blocks = codec.compress(new Uint8Array(65_537));
    assert.ok(viewOf(blocks).getUint32(7, true) < 1_000);
    assert.deepEqual([...blocks.subarray(-9)], [1, 0, 0, 0x80, 0, ...END]);
  });

  test(`${name}: stored and linked blocks, checksums and sizes`, async () => {
    assert.equal(await opened(frame(0x60, [...stored, ...stored, ...END])), "abcabc");
    const four = [4, 0, 0, 0x80, 97, 98, 99, 100];
    assert.equal(await opened(frame(0x40, [...four, ...linked, ...END])), "abcdabcd123456789");
    assert.equal(await opened(frame(0x60, [...four, ...linked, ...END])), "CORRUPT_BATCH");
    assert.equal(await opened(frame(0x40, [...linked, ...END])), "CORRUPT_BATCH");
    const size = [6, 0, 0, 0, 0, 0, 0, 0];
    const sized = frame(0x68, [...stored, ...stored, ...END], { size });
    assert.equal(await opened(sized), "abcabc");
    assert.equal(await opened(frame(0x68, [...stored, ...END], { size })), "CORRUPT_BATCH");
    const checksum = new Uint8Array(4);
    viewOf(checksum).setUint32(0, xxh32(text("abc")), true);
    assert.equal(await opened(frame(0x64, [...stored, ...END, ...checksum])), "abc");
    assert.equal(await opened(frame(0x64, [...stored, ...END, ...END])), "CORRUPT_BATCH");
    assert.equal(await opened(frame(0x70, [...stored, ...checksum, ...END])), "abc");
    assert.equal(await opened(frame(0x70, [...stored, ...END, ...END])), "CORRUPT_BATCH");
  });

  test(`${name}: what is no frame of ours to read`, async () => {
    const whole = frame(0x60, [...stored, ...END]);
    const refused: readonly (readonly [string, Uint8Array])[] = [
      ["version 2", frame(0xa0, [...stored, ...END])],
      ["a dictionary", frame(0x61, [...stored, ...END])],
      ["a reserved flag", frame(0x62, [...stored, ...END])],
      ["blocks of 1 KiB", frame(0x60, [...stored, ...END], { descriptor: 0x30 })],
      ["a reserved bit", frame(0x60, [...stored, ...END], { descriptor: 0x41 })],
      ["no end mark", frame(0x60, stored)],
      ["bytes after the end", concatBytes([whole, new Uint8Array(1)])],
      ["a second frame", concatBytes([whole, whole])],
      ["a skippable frame", new Uint8Array([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0])],
      ["the old frame", new Uint8Array([0x02, 0x21, 0x4c, 0x18, ...stored])],
      ["a wrong header checksum", whole.with(6, 0x83)],
      [
        "a block larger than declared",
        frame(0x60, [1, 0, 1, 0x80, ...Array<number>(65_537).fill(0), ...END]),
      ],
    ];
    for (const [why, bytes] of refused) assert.equal(await opened(bytes), "CORRUPT_BATCH", why);
  });

  test(`${name}: many small linked blocks are refused before they cost much`, async () => {
    const big = codec.compress(new Uint8Array(65_536)).subarray(7, -4);
    const one = [1, 0, 0, 0, 0];
    const many = (count: number): Uint8Array =>
      concatBytes([
        frame(0x40, [...big]),
        new Uint8Array(Array(count).fill(one).flat()),
        new Uint8Array(4),
      ]);
    assert.equal((await outcomeOf(codec, many(20), MAX)).length, 65_536);
    assert.equal(await outcomeOf(codec, many(5_000), MAX), "DECOMPRESSED_TOO_LARGE");
  });
}

test("a block with history in front decodes to both, whatever the lengths", () => {
  for (const historyBytes of [1, 13, 14, 15, 269, 270, 271, 65_535]) {
    for (const literals of [0, 1, 14, 15, 16, 300]) {
      const extra =
        literals < 15
          ? []
          : [...Array<number>(Math.floor((literals - 15) / 255)).fill(255), (literals - 15) % 255];
      const block = new Uint8Array([
        (Math.min(15, literals) << 4) | 2,
        ...extra,
        ...Array<number>(literals).fill(7),
        1,
        0,
        0x10,
        9,
      ]);
      assert.equal(lz4BlockBytes(block, 1), literals + 6 + 1);
      const both = lz4WithHistory(block, new Uint8Array(historyBytes));
      assert.equal(lz4BlockBytes(both, 0), historyBytes + literals + 6 + 1);
    }
  }
});
