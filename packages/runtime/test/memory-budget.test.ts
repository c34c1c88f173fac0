import { MemoryBudget, MemoryShare, SlabPool, POISON_BYTE, hasCode } from "@karst/runtime";
import assert from "node:assert/strict";
import { test } from "vitest";

test("a reservation over the limit is refused with nothing taken", () => {
  const budget = new MemoryBudget(10);
  budget.reserve(6, "first");
  assert.throws(
    () => budget.reserve(5, "second"),
    (error) => hasCode(error, "MEMORY_BUDGET_EXCEEDED"),
  );
  assert.equal(budget.reservedBytes, 6);
  budget.release(6);
  assert.equal(budget.reservedBytes, 0);
});

test("what is kept only to be read again goes first, and only for who asks so", () => {
  const budget = new MemoryBudget(10);
  budget.reserve(9, "cache");
  let cached = 9;
  budget.evictWith(() => {
    if (cached === 0) return false;
    cached -= 3;
    budget.release(3);
    return true;
  });
  assert.ok(!budget.tryReserve(4));
  assert.ok(!budget.tryReserveEvicting(11));
  assert.equal(cached, 9);
  assert.ok(budget.tryReserveEvicting(4));
  assert.equal(cached, 6);
  assert.ok(budget.tryReserveEvicting(6));
  assert.ok(!budget.tryReserveEvicting(1));
  assert.equal(budget.reservedBytes, 10);
});

test("a share gives back what it has, and has nothing once it is closed", () => {
  const budget = new MemoryBudget(10);
  const share = new MemoryShare(budget, "holder");
  share.take(6);
  assert.ok(!share.tryTake(5));
  assert.throws(
    () => share.take(5),
    (error) => hasCode(error, "MEMORY_BUDGET_EXCEEDED") && /holder/.test(error.message),
  );
  share.give(2);
  assert.equal(share.bytes, 4);
  assert.throws(() => share.give(5), { code: "ASSERTION_FAILED" });
  share.close();
  share.give(4);
  assert.ok(!share.tryTake(1));
  assert.equal(budget.reservedBytes, 0);
});

test("a slab returns to its pool, poisoned, with its last reference", () => {
  const budget = new MemoryBudget(1024);
  const pool = new SlabPool({ budget, slabBytes: 64, poison: true });
  const slab = pool.acquire(10);
  slab.bytes.fill(1);
  slab.retain();
  slab.release();
  assert.equal(slab.bytes[0], 1);
  slab.release();
  assert.equal(slab.bytes[0], POISON_BYTE);
  assert.equal(budget.reservedBytes, 0);
  assert.equal(pool.acquire(64), slab);
  assert.equal(pool.acquire(65).bytes.length, 65);
});
