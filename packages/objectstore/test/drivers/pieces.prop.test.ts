import { concatBytes, equalBytes } from "@karst/runtime";
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "vitest";
import { piecesOf } from "../../src/drivers/file/pieces.ts";
import { patternOf } from "../../src/conformance/case.ts";
import { GATHER_BELOW_BYTES, WRITE_PIECE_BYTES } from "../../src/limits.ts";

const sizes = fc.oneof(
  fc.nat(2_000),
  fc.integer({ min: GATHER_BELOW_BYTES - 2, max: GATHER_BELOW_BYTES + 2 }),
  fc.integer({ min: WRITE_PIECE_BYTES - 2, max: 2 * WRITE_PIECE_BYTES + 2 }),
);

test("pieces are the parts in order, none above the limit, none empty", () => {
  fc.assert(
    fc.property(fc.array(sizes, { maxLength: 6 }), (lengths) => {
      const parts = lengths.map((length, index) => patternOf(length, index));
      const pieces: Uint8Array[] = [];
      for (const piece of piecesOf(parts)) {
        assert.ok(piece.length > 0 && piece.length <= WRITE_PIECE_BYTES);
        pieces.push(piece.slice());
      }
      const whole = concatBytes(parts);
      assert.ok(equalBytes(concatBytes(pieces), whole));
      // Small parts do not become small writes.
      assert.ok(pieces.length <= whole.length / GATHER_BELOW_BYTES + parts.length + 1);
    }),
    { numRuns: 20 },
  );
});

test("a thousand small parts are one piece, and one part is not copied", () => {
  const parts = Array.from({ length: 1_000 }, () => new Uint8Array(100));
  assert.equal([...piecesOf(parts)].length, 1);
  const [piece] = piecesOf([new Uint8Array(0), parts[0] as Uint8Array]);
  assert.equal(piece?.buffer, parts[0]?.buffer);
  assert.deepEqual([...piecesOf([])], []);
});
