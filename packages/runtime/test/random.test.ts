import { type Random, randomId, randomInteger } from "@karst/runtime";
import { nodeRandom } from "@karst/runtime/node";
import { SeededRandom } from "@karst/runtime/testing";
import assert from "node:assert/strict";
import { test } from "vitest";

const draws = (random: Random, count: number): number[] =>
  Array.from({ length: count }, () => random.u32());

test("a seed replays", () => {
  assert.deepEqual(draws(new SeededRandom(7), 100), draws(new SeededRandom(7), 100));
  assert.deepEqual(new SeededRandom("x").bytes(33), new SeededRandom("x").bytes(33));
  assert.notDeepEqual(draws(new SeededRandom(7), 4), draws(new SeededRandom(8), 4));
  assert.deepEqual(draws(new SeededRandom(7), 1), draws(new SeededRandom("7"), 1));
  assert.equal(randomId(new SeededRandom(1)), randomId(new SeededRandom(1)));
});

test("these numbers never change: seeds in reports stay useful", () => {
  assert.deepEqual(draws(new SeededRandom(1), 3), [4218238232, 2747232460, 1597930190]);
});

test("a fork depends on seed and label, not on draws made", () => {
  const drawn = new SeededRandom(1);
  draws(drawn, 50);
  assert.deepEqual(draws(drawn.fork("disk"), 9), draws(new SeededRandom(1).fork("disk"), 9));
  assert.notDeepEqual(draws(drawn.fork("disk"), 9), draws(drawn.fork("net"), 9));
  assert.notDeepEqual(draws(drawn.fork("a").fork("b"), 9), draws(drawn.fork("b").fork("a"), 9));
});

for (const [name, random] of [
  ["seeded", new SeededRandom("distribution")],
  ["node", nodeRandom],
] as const) {
  test(`${name}: bits and bytes are even`, () => {
    const count = 20_000;
    const ones = Array.from({ length: 32 }, () => 0);
    for (const value of draws(random, count)) {
      assert.ok(Number.isInteger(value) && value >= 0 && value < 2 ** 32);
      for (let bit = 0; bit < 32; bit += 1) ones[bit] = (ones[bit] ?? 0) + ((value >>> bit) & 1);
    }
    // 7 standard deviations of a fair coin.
    for (const seen of ones)
      assert.ok(Math.abs(seen - count / 2) < 7 * Math.sqrt(count / 4), `${seen}`);
    assert.equal(new Set(random.bytes(10_000)).size, 256);
  });

  test(`${name}: integers stay in their range and reach its ends`, () => {
    const seen = new Set(Array.from({ length: 1_000 }, () => randomInteger(random, -2, 3)));
    assert.deepEqual(
      [...seen].toSorted((a, b) => a - b),
      [-2, -1, 0, 1, 2, 3],
    );
    assert.equal(randomInteger(random, 5, 5), 5);
  });

  test(`${name}: ids and bytes`, () => {
    assert.match(randomId(random), /^[0-9a-f]{32}$/);
    assert.notEqual(randomId(random), randomId(random));
    const bytes = random.bytes(5);
    assert.equal(bytes.buffer.byteLength, 5);
    assert.equal(random.bytes(0).length, 0);
  });
}
