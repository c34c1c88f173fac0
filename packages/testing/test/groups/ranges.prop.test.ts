import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { Ranges } from "../../src/groups/ranges.ts";

const OFFSETS = 30;
const offset = fc.integer({ min: 0, max: OFFSETS });

test("the first gap is where a set of offsets has it", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(offset, offset)), offset, offset, (added, from, to) => {
      const ranges = new Ranges();
      const set = new Set<number>();
      for (const [a, b] of added) {
        ranges.add(a, b);
        for (let at = a; at < b; at += 1) set.add(at);
      }
      const wanted = Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
      assert.equal(
        ranges.firstGap(from, to),
        wanted.find((at) => !set.has(at)),
      );
    }),
  );
});
