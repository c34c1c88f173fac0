import assert from "node:assert/strict";
import { test } from "vitest";
import { rangeTable } from "../../src/catalogue/rows/range-table.ts";
import type { ObjectRow } from "../../src/catalogue/rows/object-row.ts";
import { References } from "../../src/stream/references.ts";

function object(
  ...ranges: readonly (readonly [streamId: number, start: number, end: number])[]
): ObjectRow {
  return {
    kind: "stream-set",
    bytes: 1000,
    indexPosition: 900,
    indexBytes: 64,
    ranges: rangeTable(
      ranges.map(([streamId, start, end]) => ({
        streamId,
        sourceStreamId: streamId,
        start,
        end,
        records: end - start,
        bytes: 10,
        maxTimestampMs: end,
      })),
    ),
  };
}

function shown(references: References, streamId: number): unknown {
  const of = references.of(streamId);
  return Array.from({ length: of.length }, (_, i) => {
    const reference = of.at(i);
    return [reference?.object.key, reference?.start, reference?.end];
  });
}

test("references are in offset order, whatever the order of their objects", () => {
  const references = new References();
  references.add("b", object([1, 10, 20], [2, 0, 5]));
  references.add("c", object([1, 20, 30]));
  references.add("a", object([1, 0, 10]));
  assert.deepEqual(shown(references, 1), [
    ["a", 0, 10],
    ["b", 10, 20],
    ["c", 20, 30],
  ]);
  assert.deepEqual(shown(references, 2), [["b", 0, 5]]);
  assert.deepEqual(shown(references, 3), []);
  const of = references.of(1);
  assert.deepEqual(
    [0, 9, 10, 29, 30].map((offset) => of.firstEndingAbove(offset)),
    [0, 0, 1, 2, 3],
  );
});

test("an object that comes twice counts once, and one that takes another's place replaces it", () => {
  const references = new References();
  references.add("a", object([1, 0, 10]));
  references.add("a", object([1, 0, 10]));
  references.add("b", object([1, 0, 10]));
  assert.deepEqual(shown(references, 1), [["b", 0, 10]]);
});

test("what lies below the start is forgotten, one that reaches over it is not", () => {
  const references = new References();
  references.add("a", object([1, 0, 10]));
  references.add("b", object([1, 10, 20]));
  references.add("c", object([1, 20, 30]));
  const of = references.of(1);
  assert.deepEqual(
    of.objectsBelow(20).map((one) => one.key),
    ["a", "b"],
  );
  assert.deepEqual(
    of.objectsBelow(19).map((one) => one.key),
    ["a"],
  );
  of.dropBelow(19);
  assert.deepEqual(shown(references, 1), [
    ["b", 10, 20],
    ["c", 20, 30],
  ]);
});
