import assert from "node:assert/strict";
import type { Revision } from "@karst/core";
import fc from "fast-check";
import { test } from "vitest";
import { SortedRows } from "../../../src/catalogue/image/sorted-rows.ts";
import { LEAF_BYTES_MAX, LEAF_ROWS_MAX } from "../../../src/catalogue/limits.ts";

const numRuns = Number(process.env["KARST_RUNS"] ?? 40);

const key = fc.integer({ min: 0, max: 1_500 }).map((n) => `k/${String(n).padStart(4, "0")}`);
const value = fc.oneof(
  { weight: 10, arbitrary: fc.uint8Array({ maxLength: 20 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      new Uint8Array(LEAF_BYTES_MAX / 3),
      new Uint8Array(LEAF_BYTES_MAX + 1),
    ),
  },
);
/** One step: a few rows put or deleted, or a run of neighbours deleted. */
const step = fc.oneof(
  fc.array(fc.tuple(key, fc.option(value, { nil: undefined })), { maxLength: 60 }),
  fc
    .tuple(fc.nat(1_500), fc.nat(500))
    .map(([from, count]) =>
      Array.from({ length: count }, (_, i): [string, undefined] => [
        `k/${String(from + i).padStart(4, "0")}`,
        undefined,
      ]),
    ),
);
const filled = Array.from({ length: 700 }, (_, i): [string, Uint8Array] => [
  `k/${String(i * 2).padStart(4, "0")}`,
  Uint8Array.of(i % 256),
]);

interface ModelRow {
  readonly value: Uint8Array;
  readonly revision: number;
}

function checkSame(rows: SortedRows, model: ReadonlyMap<string, ModelRow>): void {
  const expected = [...model]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([k, row]) => ({ key: k, ...row }));
  assert.deepEqual([...rows.prefixed("")], expected);
  assert.equal(rows.count, model.size);
}

function checkShape(rows: SortedRows, lastChange: ReadonlyMap<string, number>): void {
  const { leaves } = rows;
  assert.equal(leaves[0]?.from, "");
  for (const [i, leaf] of leaves.entries()) {
    const to = leaves[i + 1]?.from;
    assert(leaf.keys.length > 0 || leaves.length === 1, "no leaf is empty but the only one");
    assert(leaf.keys.length <= LEAF_ROWS_MAX);
    assert(leaf.values.length <= LEAF_BYTES_MAX || leaf.keys.length === 1);
    assert(leaf.keys.every((k) => k >= leaf.from && (to === undefined || k < to)));
    for (const [k, revision] of lastChange) {
      if (k >= leaf.from && (to === undefined || k < to))
        assert(leaf.changedAt >= revision, "no change of a range goes unnoticed");
    }
  }
}

test("sorted rows are a sorted map; every version stays as it was", () => {
  fc.assert(
    fc.property(fc.boolean(), fc.array(step, { maxLength: 12 }), key, (begin, steps, probe) => {
      let rows = SortedRows.EMPTY;
      let model = new Map<string, ModelRow>();
      const lastChange = new Map<string, number>();
      const versions: [SortedRows, Map<string, ModelRow>][] = [];
      for (const [i, changes] of (begin ? [filled, ...steps] : steps).entries()) {
        const revision = (i + 1) as Revision;
        rows = rows.with(new Map(changes), revision);
        model = new Map(model);
        for (const [k, v] of new Map(changes)) {
          if (v === undefined) model.delete(k);
          else model.set(k, { value: v, revision });
          lastChange.set(k, revision);
        }
        checkShape(rows, lastChange);
        versions.push([rows, model]);
      }
      for (const [version, then] of versions) checkSame(version, then);
      assert.deepEqual(rows.get(probe)?.value, model.get(probe)?.value);
      const to = `${probe}~`;
      assert.deepEqual(
        [...rows.range(probe, to)].map((row) => row.key),
        [...model.keys()].filter((k) => k >= probe && k < to).toSorted(),
      );
    }),
    { numRuns },
  );
});

test("leaves that shrink join their neighbours", () => {
  let rows = SortedRows.EMPTY.with(new Map(filled), 1 as Revision);
  const before = rows.leaves.length;
  for (const [i, [k]] of filled.entries())
    if (i % 10 !== 0) rows = rows.with(new Map([[k, undefined]]), (i + 2) as Revision);
  assert.equal(rows.count, 70);
  assert(
    rows.leaves.length < before && rows.leaves.length <= 4,
    `${rows.leaves.length} leaves for 70 rows`,
  );
});
