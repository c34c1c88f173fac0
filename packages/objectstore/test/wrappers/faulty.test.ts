import {
  type Fault,
  FAULT_METHODS,
  type FaultTag,
  faultRates,
  faultyObjectStore,
  type FaultyObjectStore,
  memoryObjectStore,
  noFaults,
  type ObjectStore,
  type StoreCall,
} from "@karst/objectstore";
import { equalBytes, isKarstError, randomInteger } from "@karst/runtime";
import { ManualClock, SeededRandom } from "@karst/runtime/testing";
import assert from "node:assert/strict";
import { test } from "vitest";

const BODY = new Uint8Array([1, 2, 3, 4, 5]);
const OTHER = new Uint8Array([9, 9]);

/** A store whose next call of a method meets a fault. */
function strike(
  method: StoreCall["method"],
  fault: Fault,
  clock = new ManualClock(),
): { store: FaultyObjectStore; inner: ObjectStore } {
  const inner = memoryObjectStore();
  let struck = false;
  const store = faultyObjectStore(inner, {
    random: new SeededRandom(1),
    clock,
    plan: (call) => {
      if (struck || call.method !== method) return undefined;
      struck = true;
      return fault;
    },
  });
  return { store, inner };
}

async function keysOf(store: ObjectStore, startAfter = ""): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list("", { startAfter })) keys.push(key);
  return keys;
}

test("unavailable: nothing happens, and the caller knows", async () => {
  const { store, inner } = strike("put", { tag: "unavailable" });
  await assert.rejects(store.put("a", BODY), { code: "UNAVAILABLE" });
  assert.equal(await inner.head("a"), undefined);
  await store.put("a", BODY);
  assert.equal(store.counts.unavailable, 1);
});

test("lost answer: it happens, and the caller does not know", async () => {
  const { store, inner } = strike("putIfAbsent", { tag: "lost-answer" });
  await assert.rejects(store.putIfAbsent("a", BODY), { code: "UNKNOWN_OUTCOME" });
  assert.deepEqual(await inner.get("a"), BODY);
  const read = strike("get", { tag: "lost-answer" });
  await read.inner.put("a", BODY);
  await assert.rejects(read.store.get("a"), { code: "UNAVAILABLE" });
  assert.deepEqual(await read.store.get("a"), BODY);
});

test("lost request: it never happens, and the caller does not know", async () => {
  const clock = new ManualClock();
  const { store, inner } = strike("put", { tag: "lost-request" }, clock);
  await assert.rejects(store.put("a", BODY), { code: "UNKNOWN_OUTCOME" });
  await clock.advance(1e9);
  assert.equal(await inner.head("a"), undefined);
});

test("late effect: it happens afterwards, with the bytes of the call", async () => {
  const clock = new ManualClock();
  const { store, inner } = strike("putIfAbsent", { tag: "late-effect", delayMs: 500 }, clock);
  const body = BODY.slice();
  await assert.rejects(store.putIfAbsent("a", body), { code: "UNKNOWN_OUTCOME" });
  body.fill(0);
  assert.equal(await store.head("a"), undefined);
  assert.equal(store.lateEffects, 1);
  await clock.advance(500);
  assert.deepEqual(await inner.get("a"), BODY);
  assert.equal(store.lateEffects, 0);
});

test("a late conditional create loses to who came between, and a late effect on a closed store is none", async () => {
  const clock = new ManualClock();
  const { store, inner } = strike("putIfAbsent", { tag: "late-effect", delayMs: 500 }, clock);
  await assert.rejects(store.putIfAbsent("a", BODY));
  assert.equal(await store.putIfAbsent("a", OTHER), "created");
  await clock.advance(500);
  assert.deepEqual(await inner.get("a"), OTHER);
  const closed = strike("delete", { tag: "late-effect", delayMs: 500 }, clock);
  await assert.rejects(closed.store.delete(["a"]));
  await closed.store.close();
  await clock.advance(500);
  assert.equal(closed.store.lateEffects, 0);
});

test("a stale list shows what an earlier one showed", async () => {
  const inner = memoryObjectStore();
  let stale = false;
  const store = faultyObjectStore(inner, {
    random: new SeededRandom(1),
    plan: () => (stale ? { tag: "stale-list" } : undefined),
  });
  for (const key of ["a", "b", "c"]) await store.put(key, BODY);
  assert.deepEqual(await keysOf(store), ["a", "b", "c"]);
  await inner.put("bb", BODY);
  await inner.delete(["c"]);
  stale = true;
  assert.deepEqual(await keysOf(store), ["a", "b", "c"]);
  assert.deepEqual(await keysOf(store, "a"), ["b", "c"]);
  stale = false;
  assert.deepEqual(await keysOf(store), ["a", "b", "bb"]);
  assert.equal(store.counts["stale-list"], 2);
});

test("a read that says 404 of an object that is there", async () => {
  const get = strike("get", { tag: "not-found" });
  await get.inner.put("a", BODY);
  await assert.rejects(get.store.get("a"), { code: "OBJECT_NOT_FOUND" });
  assert.deepEqual(await get.store.get("a"), BODY);
  const head = strike("head", { tag: "not-found" });
  await head.inner.put("a", BODY);
  assert.equal(await head.store.head("a"), undefined);
  assert.equal((await head.store.head("a"))?.bytes, BODY.length);
});

test("damaged bodies differ from the object's, and the object stays whole", async () => {
  const check: Readonly<Partial<Record<FaultTag, (bytes: Uint8Array) => boolean>>> = {
    "flipped-bit": (bytes) => bytes.length === BODY.length,
    truncated: (bytes) => bytes.length < BODY.length,
    overlong: (bytes) =>
      bytes.length > BODY.length && equalBytes(bytes.subarray(0, BODY.length), BODY),
  };
  for (const [tag, holds] of Object.entries(check)) {
    const { store, inner } = strike("get", { tag } as Fault);
    await inner.put("a", BODY);
    const bytes = await store.get("a");
    assert.ok(!equalBytes(bytes, BODY) && holds(bytes), tag);
    assert.deepEqual(await store.get("a"), BODY);
    assert.equal(store.counts[tag as FaultTag], 1);
  }
});

test("down refuses every call until it is up", async () => {
  const store = faultyObjectStore(memoryObjectStore(), {
    random: new SeededRandom(1),
    plan: noFaults,
  });
  await store.put("a", BODY);
  const upload = await store.createMultipart("m");
  store.down();
  const calls: readonly (() => Promise<unknown>)[] = [
    () => store.put("b", BODY),
    () => store.putIfAbsent("b", BODY),
    () => store.putIfMatch("a", OTHER, "m1"),
    () => store.get("a"),
    () => store.head("a"),
    () => keysOf(store),
    () => store.delete(["a"]),
    () => store.createMultipart("n"),
    () => upload.part(1, BODY),
    () => upload.complete(),
    () => upload.abort(),
  ];
  for (const call of calls) await assert.rejects(call, { code: "UNAVAILABLE" });
  assert.equal(store.counts.outage, calls.length);
  store.up();
  assert.deepEqual(await keysOf(store), ["a"]);
});

test("latency passes on the clock, in part before the effect, and ends with the signal", async () => {
  const clock = new ManualClock();
  const inner = memoryObjectStore();
  const store = faultyObjectStore(inner, {
    random: new SeededRandom(5),
    plan: noFaults,
    clock,
    latencyMs: { min: 100, max: 100 },
  });
  let done = false;
  const put = store.put("a", BODY).then(() => {
    done = true;
  });
  await clock.advance(99);
  assert.equal(done, false);
  await clock.advance(1);
  await put;
  for (const at of [0, 99]) {
    const abort = new AbortController();
    const aborted = store.put(`aborted-${at}`, BODY, { signal: abort.signal });
    const outcome = assert.rejects(aborted, (error) => {
      assert.ok(isKarstError(error));
      assert.equal(error.code, at === 0 ? "UNAVAILABLE" : "UNKNOWN_OUTCOME");
      return true;
    });
    await clock.advance(at);
    abort.abort();
    await outcome;
  }
  assert.equal(await inner.head("aborted-0"), undefined);
  assert.ok((await inner.head("aborted-99")) !== undefined);
  assert.throws(
    () =>
      faultyObjectStore(inner, {
        random: new SeededRandom(1),
        plan: noFaults,
        latencyMs: { min: 1, max: 1 },
      }),
    TypeError,
  );
});

/** What happened to some calls, in words. */
async function trace(seed: number): Promise<string> {
  const clock = new ManualClock();
  const inner = memoryObjectStore();
  const rates = Object.fromEntries(Object.keys(FAULT_METHODS).map((tag) => [tag, 0.1])) as Record<
    FaultTag,
    number
  >;
  const store = faultyObjectStore(inner, {
    random: new SeededRandom(seed),
    clock,
    plan: faultRates(rates),
    latencyMs: { min: 0, max: 5 },
  });
  const calls: readonly ((index: number) => Promise<unknown>)[] = [
    (index) => store.put(`k${index % 5}`, new Uint8Array([index])),
    (index) => store.putIfAbsent(`k${index % 5}`, new Uint8Array([index])),
    (index) => store.get(`k${index % 5}`),
    (index) => store.head(`k${index % 5}`),
    () => keysOf(store),
    (index) => store.delete([`k${index % 5}`]),
  ];
  const lines: string[] = [];
  const choices = new SeededRandom(1);
  for (let index = 0; index < 600; index += 1) {
    const call = calls[randomInteger(choices, 0, calls.length - 1)] as (
      index: number,
    ) => Promise<unknown>;
    const outcome = await clock.runUntil(
      call(index).then(JSON.stringify, (error: Error) => error.message),
    );
    lines.push(`${outcome} ${clock.monotonicMs()}`);
  }
  return [...lines, JSON.stringify(store.counts)].join("\n");
}

test("the same seed brings the same faults, another seed others; every fault comes up", async () => {
  const first = await trace(7);
  assert.equal(await trace(7), first);
  assert.notEqual(await trace(8), first);
  const counts = JSON.parse(first.slice(first.lastIndexOf("\n"))) as Record<string, number>;
  for (const [tag, count] of Object.entries(counts))
    assert.ok(count > 0 || tag === "outage", `${tag} never happened`);
});

test("healed, a store has no faults", async () => {
  const store = faultyObjectStore(memoryObjectStore(), {
    random: new SeededRandom(1),
    plan: faultRates({ unavailable: 1 }),
  });
  await assert.rejects(store.put("a", BODY));
  store.setPlan(noFaults);
  await store.put("a", BODY);
});
