import assert from "node:assert/strict";
import { MemoryBudget } from "@karst/runtime";
import { test } from "vitest";
import { LeaseCache } from "../../src/cache/lease-cache.ts";

function setUp(
  bytesMax = 100,
  budget = 1000,
): { readonly memory: MemoryBudget; readonly cache: LeaseCache<string> } {
  const memory = new MemoryBudget(budget);
  return { memory, cache: new LeaseCache({ memory, bytesMax, holder: "test" }) };
}

function deferred<T>(): {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

const never = (): Promise<string> => assert.fail("must not be loaded");

test("one load serves all who wait, and later ones too", async () => {
  const { memory, cache } = setUp();
  const load = deferred<string>();
  const first = cache.acquire("a", 10, () => load.promise);
  const second = cache.acquire("a", 10, never);
  assert.equal(memory.reservedBytes, 10);
  load.resolve("value");
  for (const lease of [await first, await second, await cache.acquire("a", 10, never)]) {
    assert.equal(lease.value, "value");
    lease.release();
  }
  assert.equal(memory.reservedBytes, 10);
});

test("one waiter's abort is its own affair", async () => {
  const { cache } = setUp();
  const load = deferred<string>();
  const abort = new AbortController();
  const impatient = cache.acquire("a", 10, () => load.promise, abort.signal);
  const patient = cache.acquire("a", 10, never);
  const reason = new Error("enough");
  abort.abort(reason);
  await assert.rejects(impatient, reason);
  load.resolve("value");
  assert.equal((await patient).value, "value");
});

test("a failure reaches all who wait and is not kept", async () => {
  const { memory, cache } = setUp();
  const load = deferred<string>();
  const waiting = [cache.acquire("a", 10, () => load.promise), cache.acquire("a", 10, never)];
  load.reject(new Error("no"));
  for (const waiter of waiting) await assert.rejects(waiter, /no/);
  assert.equal(memory.reservedBytes, 0);
  const lease = await cache.acquire("a", 10, async () => "again");
  assert.equal(lease.value, "again");
});

test("the least recently used goes first, and what is leased stays", async () => {
  const { cache } = setUp(30);
  for (const key of ["a", "b", "c"]) (await cache.acquire(key, 10, async () => key)).release();
  const held = await cache.acquire("a", 10, never);
  (await cache.acquire("d", 10, async () => "d")).release();
  // "b" had to go for "d"; now "c" does, for it is older than "d", and "a" is in use.
  (await cache.acquire("b", 10, async () => "b")).release();
  (await cache.acquire("d", 10, never)).release();
  assert.equal((await cache.acquire("a", 10, never)).value, "a");
  held.release();
});

test("over its bound it refuses before it loads, but for a single value that is larger alone", async () => {
  const { cache } = setUp(30);
  const large = await cache.acquire("large", 500, async () => "large");
  await assert.rejects(cache.acquire("more", 10, never), { code: "MEMORY_BUDGET_EXCEEDED" });
  large.release();
  (await cache.acquire("more", 10, async () => "more")).release();
  assert.equal(cache.usedBytes, 10);
});

test("the memory budget binds it too", async () => {
  const { memory, cache } = setUp(100, 20);
  memory.reserve(15, "others");
  await assert.rejects(cache.acquire("a", 10, never), { code: "MEMORY_BUDGET_EXCEEDED" });
  memory.release(15);
  (await cache.acquire("a", 10, async () => "a")).release();
});

test("memory that others can give up is taken for what is waited for, and not for what is read ahead", async () => {
  const memory = new MemoryBudget(30);
  const others = [10, 20];
  memory.reserve(30, "others");
  const evict = (): boolean => {
    const bytes = others.pop();
    memory.release(bytes ?? 0);
    return bytes !== undefined;
  };
  memory.evictWith(evict);
  const cache = new LeaseCache({ memory, bytesMax: 100, holder: "test" });
  assert.equal(cache.prefetch("a", 10, never), false);
  const held = await cache.acquire("a", 10, async () => "a");
  assert.deepEqual(others, [10]);
  await assert.rejects(cache.acquire("b", 30, never), { code: "MEMORY_BUDGET_EXCEEDED" });
  assert.deepEqual(others, []);
  held.release();
  (await cache.acquire("b", 30, async () => "b")).release();
  assert.equal(memory.reservedBytes, 30);
});

test("a prefetched value is there for whoever asks; a failed one is forgotten", async () => {
  const { memory, cache } = setUp();
  assert.equal(
    cache.prefetch("a", 10, async () => "a"),
    true,
  );
  assert.equal((await cache.acquire("a", 10, never)).value, "a");
  assert.equal(
    cache.prefetch("b", 10, () => Promise.reject(new Error("no"))),
    true,
  );
  await assert.rejects(cache.acquire("b", 10, never), /no/);
  assert.equal(memory.reservedBytes, 10);
});

test("clearing gives back what nobody holds at once, and the rest with its lease", async () => {
  const { memory, cache } = setUp();
  const held = await cache.acquire("a", 10, async () => "a");
  (await cache.acquire("b", 10, async () => "b")).release();
  const load = deferred<string>();
  const waiting = cache.acquire("c", 10, () => load.promise);
  cache.clear();
  assert.equal(memory.reservedBytes, 20);
  held.release();
  load.resolve("c");
  (await waiting).release();
  assert.equal(memory.reservedBytes, 0);
  assert.equal(cache.usedBytes, 0);
  assert.throws(() => held.release(), { code: "ASSERTION_FAILED" });
});
