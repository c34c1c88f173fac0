import { MemoryBudget, SlabPool, POISON_BYTE, hasCode } from "@karst/runtime";
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
