import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, test } from "vitest";
import { versionedCodecs } from "./support/codecs.ts";
import { decodedOrMalformed, isMalformed } from "./support/malformed.ts";
import { messages } from "./support/messages.ts";
import { referenceEncode } from "./support/reference-encoder.ts";
import { runs } from "./support/runs.ts";

describe.each(versionedCodecs)("$label", ({ codec, version, flexible }) => {
  const samples = messages(codec.fields, version);

  test("what was encoded is decoded, with defaults for what was left out", () => {
    fc.assert(
      fc.property(samples, ({ input, expected }) => {
        const bytes = codec.encode(version, input as never);
        const decoded = codec.decode(version, bytes);
        assert.deepStrictEqual(decoded, expected);
        assert.deepStrictEqual(codec.encode(version, decoded as never), bytes);
        assert.deepStrictEqual(
          [...bytes],
          referenceEncode(codec.fields, expected, version, flexible),
        );
      }),
      { numRuns: runs(8) },
    );
  });

  test("a message cut anywhere is malformed, and so is one with a byte too many", () => {
    fc.assert(
      fc.property(samples, ({ input }) => {
        const bytes = codec.encode(version, input as never);
        const step = Math.max(1, Math.floor(bytes.length / 300));
        for (let length = 0; length < bytes.length; length += step) {
          assert.ok(isMalformed(() => codec.decode(version, bytes.subarray(0, length))));
        }
        assert.ok(isMalformed(() => codec.decode(version, Uint8Array.of(...bytes, 0))));
      }),
      { numRuns: runs(2) },
    );
  });

  test("any bytes decode to a message that can be encoded, or are malformed", () => {
    const mutated = fc
      .tuple(samples, fc.array(mutations, { minLength: 1, maxLength: 4 }))
      .map(([{ input }, changes]) => {
        const bytes = codec.encode(version, input as never);
        return changes.reduce((changed, change) => change(changed), bytes);
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), mutated), (bytes) => {
        const decoded = decodedOrMalformed(() => codec.decode(version, bytes));
        if (decoded === undefined) return;
        const canonical = codec.encode(version, decoded as never);
        assert.deepStrictEqual(codec.decode(version, canonical), decoded);
      }),
      { numRuns: runs(20) },
    );
  });
});

type Mutation = (bytes: Uint8Array) => Uint8Array;

const interesting = fc.oneof(
  fc.constantFrom(
    [0xff],
    [0x80],
    [0x7f],
    [0],
    [1],
    [0x7f, 0xff, 0xff, 0xff],
    [0xff, 0xff, 0xff, 0xff, 0x0f],
  ),
  fc.array(fc.nat(255), { maxLength: 4 }),
);

const mutations: fc.Arbitrary<Mutation> = fc
  .tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(4), interesting)
  .map(([place, removed, inserted]) => (bytes) => {
    const at = Math.floor(place * bytes.length);
    return Uint8Array.of(...bytes.subarray(0, at), ...inserted, ...bytes.subarray(at + removed));
  });
