import assert from "node:assert/strict";
import { test } from "vitest";
import { GroupBook } from "../src/groups/group-book.ts";

/** A member that commits up to 5 of partition 0 at 10, which is acknowledged at 20, and another that begins there. */
function bookOf(options: { assignedUs: number; offset: number; toldUs?: number }): GroupBook {
  const book = new GroupBook();
  const [one, two] = [book.begin("one", 0), book.begin("two", 0)];
  one.assigned(1);
  for (let offset = 0; offset < 5; offset += 1) one.deliver(0, offset, `v${offset}`, 2 + offset);
  one.committing(0, 5, 10);
  one.committed(0, 5, 20);
  two.assigned(options.assignedUs);
  two.deliver(0, options.offset, `v${options.offset}`, options.toldUs ?? 50);
  return book;
}

test("a reading begins between what was acknowledged before and what anybody had asked for", () => {
  assert.deepEqual(bookOf({ assignedUs: 30, offset: 5 }).violations, []);
  assert.match(bookOf({ assignedUs: 30, offset: 4 }).violations.join(), /two began .* at 4: 5 was/);
  assert.match(bookOf({ assignedUs: 30, offset: 6 }).violations.join(), /two began .* 5 asked for/);
  // Whatever is heard first: the answer to the commit was there after the assignment.
  assert.deepEqual(bookOf({ assignedUs: 15, offset: 0 }).violations, []);
  assert.match(bookOf({ assignedUs: 5, offset: 5, toldUs: 9 }).violations.join(), /0 asked for/);
});

test("within an assignment each record is the next one, and at a place is one record for ever", () => {
  const book = bookOf({ assignedUs: 15, offset: 0 });
  assert.equal(book.repeated, 1);
  const three = book.begin("three", 40);
  three.deliver(0, 5, "v5", 41);
  three.deliver(0, 3, "v3", 42);
  assert.deepEqual(book.violations, []);
  three.assigned(43);
  three.deliver(0, 5, "v5", 44);
  three.deliver(0, 7, "v7", 45);
  three.deliver(0, 8, "other", 46);
  three.deliver(0, 8, "v8", 47);
  assert.deepEqual(book.violations, [
    "three was given 0@7 where 6 is next",
    "three was given 0@8 where 9 is next",
    "0@8 is another record now: v8 after other",
  ]);
});
