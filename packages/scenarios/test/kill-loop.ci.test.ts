import assert from "node:assert/strict";
import { test } from "vitest";
import { nodeArgsOf } from "../src/mutants.ts";
import { killLoop } from "../src/real/kill-loop.ts";

import { LogBook } from "../src/real/log-book.ts";
import { hashOf, valueOf } from "../src/real/values.ts";

const seed = Number(process.env["KARST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const SECONDS = Number(process.env["KARST_KILL_SECONDS"] ?? 60);

test(`what a killed process acknowledged is there in the next (seed ${seed})`, async () => {
  const counts = await killLoop({ seed, seconds: SECONDS });
  const { crashes, inFlight, crossed } = counts;
  console.log(JSON.stringify({ seed, ...counts }));
  assert.ok(crashes > 0);
  assert.ok(inFlight >= 0.8 * crashes, `${inFlight} of ${crashes} kills met appends in flight`);
  for (const [name, count] of Object.entries(crossed)) assert.ok(count > 0, `no ${name}`);
});

test("a process that acknowledges before it syncs is found out", async () => {
  const mutant = { nodeArgs: nodeArgsOf("ack-before-sync"), level: "topic" } as const;
  await assert.rejects(killLoop({ seed, kills: 30, mutant }), /is lost|partition \d/);
});

/** A life that found nothing and tried three appends, 1–2, 3 and 4–5; the first was acknowledged. */
function bookWithOneLife(): LogBook {
  const book = new LogBook("log");
  book.opened({ start: 0, end: 0 });
  book.seenAll();
  for (const [firstId, count] of [
    [1, 2],
    [3, 1],
    [4, 2],
  ] as const)
    book.tried({ firstId, count, partition: 0 });
  book.acknowledged(1, 0);
  book.died();
  return book;
}

/** What the next life finds: these ids, from the start on. */
function find(ids: readonly number[], options: { start?: number; end?: number } = {}): LogBook {
  const { start = 0, end = start + ids.length } = options;
  const book = bookWithOneLife();
  book.opened({ start, end });
  book.seen(ids.map((id, i) => [start + i, id, hashOf(valueOf(id))]));
  book.seenAll();
  return book;
}

test("the book accepts what a crash may leave, and nothing else", () => {
  for (const ids of [
    [1, 2],
    [1, 2, 3],
    [1, 2, 3, 4, 5],
  ])
    find(ids);
  assert.throws(() => find([]), /is lost/);
  assert.throws(() => find([1]), /is lost/);
  assert.throws(() => find([1, 2], { end: 3 }), /not everything was read/);
  assert.throws(() => find([2, 1]), /another record/);
  assert.throws(() => find([1, 2, 4, 5]), /3 is missing, 4 after it is there/);
  assert.throws(() => find([1, 2, 4, 5, 3]), /out of order/);
  assert.throws(() => find([1, 2, 3, 4]), /a part of 4/);
  assert.throws(() => find([1, 2, 3, 3]), /for a second time/);
  assert.throws(() => find([1, 2, 3, 6]), /nobody wrote/);
  assert.throws(() => find([2], { start: 1 }), /starts at 1/);

  const bytes = bookWithOneLife();
  bytes.opened({ start: 0, end: 2 });
  assert.throws(() => bytes.seen([[0, 1, hashOf(valueOf(2))]]), /other bytes/);
  const hole = bookWithOneLife();
  hole.opened({ start: 0, end: 3 });
  assert.throws(() => hole.seen([[1, 2, hashOf(valueOf(2))]]), /a hole/);

  // What was not there once does not come back.
  const late = find([1, 2]);
  late.died();
  late.opened({ start: 0, end: 3 });
  assert.throws(
    () => late.seen([1, 2, 3].map((id, i) => [i, id, hashOf(valueOf(id))])),
    /nobody wrote, or not any more/,
  );
  // What was there once stays.
  const kept = find([1, 2, 3]);
  kept.died();
  assert.throws(() => kept.opened({ start: 0, end: 2 }), /is lost/);
});

test("the book accepts an idempotent append again only where it was", () => {
  const again = (offset: number): void => {
    const book = new LogBook("log");
    const each = { firstId: 1, count: 2, partition: 0, producer: { index: 0, sequence: 0 } };
    book.opened({ start: 0, end: 0 });
    book.seenAll();
    book.tried(each);
    book.died();
    assert.deepEqual(book.unanswered(0), [each]);
    book.opened({ start: 0, end: 2 });
    book.tried(each);
    book.acknowledged(1, offset);
    book.seen([1, 2].map((id, i) => [i, id, hashOf(valueOf(id))]));
    book.seenAll();
    assert.deepEqual(book.unanswered(0), []);
  };
  again(0);
  assert.throws(() => again(2), /for a second time/);
});
