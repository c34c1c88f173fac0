import assert from "node:assert/strict";
import { test } from "vitest";
import { DIMENSIONS, killMatrix, MEANINGS, notApplicable } from "../src/matrix/combinations.ts";
import { pairsOf, pairwise } from "../src/matrix/pairwise.ts";

const SMALL = { letter: ["a", "b"], number: ["1", "2"], sign: ["+", "-"] } as const;

/** Every pair of values of two dimensions. */
function allPairs(dimensions: Readonly<Record<string, readonly string[]>>): string[] {
  const entries = Object.entries(dimensions);
  return entries.flatMap(([name, values], at) =>
    entries
      .slice(at + 1)
      .flatMap(([otherName, others]) =>
        values.flatMap((value) =>
          others.flatMap((other) => pairsOf({ [name]: value, [otherName]: other })),
        ),
      ),
  );
}

test("every pair of values occurs, in fewer combinations than there are", () => {
  const chosen = pairwise(SMALL, () => true);
  assert.deepEqual(new Set(chosen.flatMap(pairsOf)), new Set(allPairs(SMALL)));
  assert.ok(chosen.length < 8 && chosen.length >= 4, String(chosen.length));
  assert.equal(new Set(chosen.map((each) => JSON.stringify(each))).size, chosen.length);
});

test("what is not allowed does not occur, and pairs that only it has are not missed", () => {
  const chosen = pairwise(SMALL, ({ letter, number }) => !(letter === "a" && number === "1"));
  const expected = allPairs(SMALL).filter((pair) => pair !== "letter=a number=1");
  assert.deepEqual(new Set(chosen.flatMap(pairsOf)), new Set(expected));
  assert.deepEqual(
    pairwise(SMALL, () => false),
    [],
  );
});

test("the kill matrix has every pair but those that it says cannot be", () => {
  for (const withZstd of [true, false]) {
    const excluded = notApplicable(withZstd);
    const matrix = killMatrix(excluded);
    assert.deepEqual(killMatrix(excluded), matrix);
    const expected = allPairs(DIMENSIONS).filter((pair) => !excluded.has(pair));
    assert.deepEqual(new Set(matrix.flatMap(pairsOf)), new Set(expected));
    assert.ok(matrix.length <= 22, String(matrix.length));
  }
  const known = new Set([
    ...allPairs(DIMENSIONS),
    ...Object.entries(DIMENSIONS).flatMap(([name, values]) => values.map((v) => `${name}=${v}`)),
  ]);
  for (const name of [...Object.keys(MEANINGS), ...notApplicable(false).keys()])
    assert.ok(known.has(name), `${name} is no value, and no pair`);
});
