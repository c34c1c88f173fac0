import assert from "node:assert/strict";
import { concatBytes } from "@karst/runtime";
import * as fc from "fast-check";
import { test } from "vitest";
import { RUNS } from "../batches.ts";
import { IMPLEMENTATIONS, implementationsOf, outcomeOf } from "./implementations.ts";

const BYTES_MAX = 1_000_000;

/** Bytes with something to compress: pieces, each some times over, up to several blocks of any codec. */
const contents = fc
  .array(fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.oneof(fc.nat(3), fc.nat(400))), {
    maxLength: 8,
  })
  .map((pieces) => concatBytes(pieces.flatMap(([piece, times]) => Array(times).fill(piece))));

test.each(IMPLEMENTATIONS)("%s: all implementations read what it writes", async (_, codec) => {
  const readers = implementationsOf(codec.name);
  await fc.assert(
    fc.asyncProperty(contents, async (bytes) => {
      const compressed = codec.compress(bytes);
      for (const [name, reader] of readers) {
        assert.ok(
          Buffer.compare((await outcomeOf(reader, compressed, BYTES_MAX)) as Uint8Array, bytes) ===
            0,
          name,
        );
        // To the byte: the limit is inclusive.
        if (bytes.length < 2) continue;
        assert.equal((await outcomeOf(reader, compressed, bytes.length)).length, bytes.length);
        assert.equal(
          await outcomeOf(reader, compressed, bytes.length - 1),
          "DECOMPRESSED_TOO_LARGE",
        );
      }
    }),
    { numRuns: Math.ceil(RUNS / 6) },
  );
});

test.each(IMPLEMENTATIONS)("%s: any bytes become something or are refused", async (_, codec) => {
  const header = codec.compress(new Uint8Array(0));
  const any = fc.uint8Array({ maxLength: 400 });
  const framed = any.map((bytes) => concatBytes([header.subarray(0, -4), bytes]));
  await fc.assert(
    fc.asyncProperty(fc.oneof(any, framed), fc.nat(5_000), async (bytes, bytesMax) => {
      const outcome = await outcomeOf(codec, bytes, bytesMax + 1);
      assert.ok(typeof outcome === "string" || outcome.length <= bytesMax + 1);
    }),
    { numRuns: RUNS },
  );
});

test.each(IMPLEMENTATIONS)(
  "%s: damaged bytes become something or are refused",
  async (_, codec) => {
    const damage = fc.record({
      bytes: contents,
      flips: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      cut: fc.option(fc.nat()),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ bytes, flips, cut }) => {
        const compressed = codec.compress(bytes);
        // Most of what there is to get wrong is near the beginning.
        for (const [at, byte] of flips) {
          compressed[at % Math.min(compressed.length, at % 2 === 0 ? 40 : Infinity)] = byte;
        }
        const damaged =
          cut === null ? compressed : compressed.subarray(0, cut % (compressed.length + 1));
        const outcome = await outcomeOf(codec, damaged, BYTES_MAX);
        assert.ok(typeof outcome === "string" || outcome.length <= BYTES_MAX);
      }),
      { numRuns: RUNS },
    );
  },
);

test.each(IMPLEMENTATIONS)("%s: what is cut short anywhere is corrupt", async (_, codec) => {
  const text = Array.from({ length: 9_000 }, (_unused, i) => (i * i) % 11);
  const compressed = codec.compress(new Uint8Array(text));
  for (let end = 0; end < compressed.length; end += end < 60 ? 1 : 97) {
    const outcome = await outcomeOf(codec, compressed.subarray(0, end), BYTES_MAX);
    // A snappy stream has no end mark: it may end behind its header, or any block.
    if (codec.name === "snappy" && end === 16) assert.equal(outcome.length, 0);
    else assert.equal(outcome, "CORRUPT_BATCH", `${end} of ${compressed.length}`);
  }
});
