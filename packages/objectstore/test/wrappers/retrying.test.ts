import {
  type Fault,
  type FaultPlan,
  faultyObjectStore,
  type FaultyObjectStore,
  memoryObjectStore,
  type ObjectStore,
  objectStoreError,
  type RetryLimits,
  retryingObjectStore,
} from "@karst/objectstore";
import { ManualClock, SeededRandom } from "@karst/runtime/testing";
import assert from "node:assert/strict";
import { test } from "vitest";
import { backoffMs } from "../../src/wrappers/backoff.ts";
import { overridden } from "../overridden.ts";

const BODY = new Uint8Array([1, 2, 3]);
const LIMITS: RetryLimits = {
  attempts: 4,
  deadlineMs: 10_000,
  backoffMsMin: 100,
  backoffMsMax: 1_000,
};

interface World {
  readonly clock: ManualClock;
  readonly inner: ObjectStore;
  readonly faulty: FaultyObjectStore;
  readonly store: ObjectStore;
  /** Calls that reached the faulty store. */
  readonly calls: () => number;
}

/** A store whose first calls meet these faults, in turn. */
function world(
  faults: readonly (Fault["tag"] | undefined)[],
  limits: Partial<RetryLimits> = {},
): World {
  const clock = new ManualClock();
  const inner = memoryObjectStore();
  let calls = 0;
  const plan: FaultPlan = () => {
    const tag = faults[calls];
    calls += 1;
    return tag === undefined ? undefined : { tag, delayMs: 5_000 };
  };
  const faulty = faultyObjectStore(inner, { random: new SeededRandom(1), clock, plan });
  const store = retryingObjectStore(faulty, {
    clock,
    random: new SeededRandom(2),
    limits: { ...LIMITS, ...limits },
  });
  return { clock, inner, faulty, store, calls: () => calls };
}

test("what certainly did not happen is tried again, up to the limit", async () => {
  const { clock, store, calls } = world(["unavailable", "unavailable", "unavailable"]);
  assert.equal(await clock.runUntil(store.putIfAbsent("a", BODY)), "created");
  assert.equal(calls(), 4);
  const failing = world(Array.from({ length: 9 }, () => "unavailable" as const));
  await assert.rejects(failing.clock.runUntil(failing.store.put("a", BODY)), {
    code: "UNAVAILABLE",
  });
  assert.equal(failing.calls(), LIMITS.attempts);
  assert.equal(failing.clock.pendingTimers, 0);
});

test("a conditional create of unknown outcome is never tried again", async () => {
  for (const tag of ["lost-answer", "lost-request", "late-effect"] as const) {
    const { clock, store, calls } = world([tag]);
    await assert.rejects(clock.runUntil(store.putIfAbsent("a", BODY)), { code: "UNKNOWN_OUTCOME" });
    assert.equal(calls(), 1);
    const match = world([tag]);
    await match.inner.put("a", BODY);
    await assert.rejects(match.clock.runUntil(match.store.putIfMatch("a", BODY, "m1")), {
      code: "UNKNOWN_OUTCOME",
    });
    assert.equal(match.calls(), 1);
  }
});

test("a plain put and a delete of unknown outcome are tried again", async () => {
  const { clock, inner, store, calls } = world([
    "lost-answer",
    "lost-request",
    undefined,
    "lost-answer",
  ]);
  await clock.runUntil(store.put("a", BODY));
  assert.deepEqual(await inner.get("a"), BODY);
  assert.equal(calls(), 3);
  await clock.runUntil(store.delete(["a"]));
  assert.equal(calls(), 5);
});

test("a call with an unknown try ends unknown, whatever the last try said", async () => {
  const { clock, store } = world(["lost-answer", "unavailable", "unavailable", "unavailable"]);
  await assert.rejects(clock.runUntil(store.put("a", BODY)), { code: "UNKNOWN_OUTCOME" });
});

test("reads are tried again; what the store says for certain is not", async () => {
  const { clock, inner, store, calls } = world([
    "unavailable",
    "lost-answer",
    undefined,
    "lost-answer",
  ]);
  await inner.put("a", BODY);
  assert.deepEqual(await clock.runUntil(store.get("a")), BODY);
  assert.equal((await clock.runUntil(store.head("a")))?.bytes, 3);
  assert.equal(calls(), 5);
  await assert.rejects(clock.runUntil(store.get("missing")), { code: "OBJECT_NOT_FOUND" });
  await assert.rejects(clock.runUntil(store.get("a", { range: { start: 5, end: 9 } })), {
    code: "RANGE_NOT_SATISFIABLE",
  });
  await assert.rejects(clock.runUntil(store.put("../a", BODY)), { code: "INVALID_KEY" });
  assert.equal(calls(), 8);
});

test("nothing is tried after the deadline, and what is under way then is aborted", async () => {
  const { clock, faulty, store, calls } = world([], { attempts: 1_000, deadlineMs: 3_000 });
  faulty.down();
  const began = clock.monotonicMs();
  await assert.rejects(clock.runUntil(store.put("a", BODY)), { code: "UNAVAILABLE" });
  assert.ok(clock.monotonicMs() - began <= 3_000);
  assert.ok(calls() > 3);
  const slow = faultyObjectStore(memoryObjectStore(), {
    random: new SeededRandom(1),
    clock,
    plan: () => undefined,
    latencyMs: { min: 60_000, max: 60_000 },
  });
  const hasty = retryingObjectStore(slow, {
    clock,
    random: new SeededRandom(2),
    limits: { ...LIMITS, deadlineMs: 3_000 },
  });
  const start = clock.monotonicMs();
  await assert.rejects(clock.runUntil(hasty.get("a")), { code: "UNAVAILABLE" });
  assert.equal(clock.monotonicMs() - start, 3_000);
  assert.equal(clock.pendingTimers, 0);
});

test("a signal ends the pause between tries with what the last one met", async () => {
  const { clock, faulty, store, calls } = world([], {
    backoffMsMin: 1_000_000,
    backoffMsMax: 1_000_000,
    deadlineMs: 1e9,
  });
  faulty.down();
  const abort = new AbortController();
  const outcome = assert.rejects(store.get("a", { signal: abort.signal }), {
    code: "UNAVAILABLE",
    message: /outage/,
  });
  await clock.runDeferred();
  abort.abort();
  await outcome;
  assert.equal(calls(), 1);
  assert.equal(clock.pendingTimers, 0);
});

test("a list goes on after the last entry that it gave", async () => {
  const clock = new ManualClock();
  const inner = memoryObjectStore();
  for (let index = 0; index < 10; index += 1) await inner.put(`a/${index}`, BODY);
  let failures = 0;
  const breaking = overridden(inner, {
    async *list(prefix, options) {
      let given = 0;
      for await (const info of inner.list(prefix, options)) {
        if (given === 3) {
          failures += 1;
          throw objectStoreError("UNAVAILABLE", "the page is lost");
        }
        given += 1;
        yield info;
      }
    },
  });
  const store = retryingObjectStore(breaking, {
    clock,
    random: new SeededRandom(2),
    limits: { ...LIMITS, attempts: 2 },
  });
  const keys: string[] = [];
  await clock.runUntil(
    (async () => {
      for await (const { key } of store.list("a/")) keys.push(key);
    })(),
  );
  assert.deepEqual(
    keys,
    Array.from({ length: 10 }, (_key, index) => `a/${index}`),
  );
  assert.equal(failures, 3);
  assert.equal(clock.pendingTimers, 0);
});

test("a list that gives nothing more fails after its tries", async () => {
  const { clock, faulty, store, calls } = world([]);
  faulty.down();
  const list = store.list("")[Symbol.asyncIterator]();
  await assert.rejects(clock.runUntil(list.next()), { code: "UNAVAILABLE" });
  assert.equal(calls(), LIMITS.attempts);
});

test("pauses grow to their ceiling, and are drawn from nothing up to it", () => {
  const random = new SeededRandom(3);
  for (const [attempt, ceiling] of [100, 200, 400, 800, 1_000, 1_000].entries()) {
    const pauses = Array.from({ length: 200 }, () => backoffMs(attempt + 1, LIMITS, random));
    assert.ok(pauses.every((pause) => pause >= 0 && pause < ceiling));
    assert.ok(Math.max(...pauses) > ceiling * 0.9 && Math.min(...pauses) < ceiling * 0.1);
  }
});
