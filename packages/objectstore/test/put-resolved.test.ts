import {
  type Fault,
  type FaultPlan,
  faultRates,
  faultyObjectStore,
  memoryObjectStore,
  MemoryBucket,
  type ObjectStore,
  putIfAbsentResolved,
  type StoreCall,
} from "@karst/objectstore";
import { isKarstError, utf8Decode, utf8Encode } from "@karst/runtime";
import { ManualClock, SeededRandom } from "@karst/runtime/testing";
import assert from "node:assert/strict";
import { test } from "vitest";

const MINE = utf8Encode("write id 1");
const OTHER = utf8Encode("write id 2");
const RUNS = Number(process.env["KARST_RUNS"] ?? 300);

interface World {
  readonly clock: ManualClock;
  readonly inner: ObjectStore;
  readonly calls: StoreCall["method"][];
  readonly put: (signal?: AbortSignal) => Promise<"created" | "exists">;
}

/** A store whose creates, and whose gets, meet these faults in turn; `before` runs before each call. */
function world(options: {
  readonly creates?: readonly (Fault | undefined)[];
  readonly gets?: readonly (Fault | undefined)[];
  readonly before?: (call: StoreCall, count: number, bucket: MemoryBucket) => void;
}): World {
  const clock = new ManualClock();
  const bucket = new MemoryBucket();
  const inner = memoryObjectStore({ bucket });
  const calls: StoreCall["method"][] = [];
  const plan: FaultPlan = (call) => {
    calls.push(call.method);
    const count = calls.filter((method) => method === call.method).length;
    options.before?.(call, count, bucket);
    return (call.method === "get" ? options.gets : options.creates)?.[count - 1];
  };
  const store = faultyObjectStore(inner, { random: new SeededRandom(1), clock, plan });
  const put = (signal?: AbortSignal): Promise<"created" | "exists"> =>
    clock.runUntil(
      putIfAbsentResolved(store, "k", MINE, {
        clock,
        random: new SeededRandom(2),
        limits: { attempts: 4, deadlineMs: 60_000, backoffMsMin: 100, backoffMsMax: 100 },
        ...(signal === undefined ? {} : { signal }),
      }),
    );
  return { clock, inner, calls, put };
}

const LOST_ANSWER: Fault = { tag: "lost-answer" };
const LOST_REQUEST: Fault = { tag: "lost-request" };
const UNAVAILABLE: Fault = { tag: "unavailable" };

test("a clear answer needs no more than itself, and one look at who exists", async () => {
  const fresh = world({});
  assert.equal(await fresh.put(), "created");
  assert.deepEqual(fresh.calls, ["putIfAbsent"]);
  const taken = world({});
  await taken.inner.put("k", OTHER);
  assert.equal(await taken.put(), "exists");
  assert.deepEqual(taken.calls, ["putIfAbsent", "get"]);
});

test("a lost answer is resolved by the bytes: mine", async () => {
  const { calls, put } = world({ creates: [LOST_ANSWER] });
  assert.equal(await put(), "created");
  assert.deepEqual(calls, ["putIfAbsent", "get"]);
});

test("a lost answer is resolved by the bytes: another's", async () => {
  const { inner, put } = world({ creates: [LOST_ANSWER] });
  await inner.put("k", OTHER);
  assert.equal(await put(), "exists");
});

test("an object that is not there is tried again with the same bytes", async () => {
  const { calls, inner, put } = world({ creates: [LOST_REQUEST, LOST_REQUEST] });
  assert.equal(await put(), "created");
  assert.deepEqual(await inner.get("k"), MINE);
  assert.deepEqual(calls, ["putIfAbsent", "get", "putIfAbsent", "get", "putIfAbsent"]);
});

test("a put that happens late, before the next try, is found to be mine", async () => {
  const { put, calls } = world({ creates: [{ tag: "late-effect", delayMs: 1 }] });
  assert.equal(await put(), "created");
  assert.deepEqual(calls, ["putIfAbsent", "get", "putIfAbsent", "get"]);
});

test("who comes between a lost request and the next try wins", async () => {
  const { put } = world({
    creates: [LOST_REQUEST],
    before: (call, count, bucket) => {
      if (call.method === "putIfAbsent" && count === 2) bucket.set("k", OTHER);
    },
  });
  assert.equal(await put(), "exists");
});

test("an answer `exists` to a request that something below repeated is mine", async () => {
  const { inner, put } = world({});
  await inner.put("k", MINE);
  assert.equal(await put(), "created");
});

test("a definite failure is reported as one, unless a try before it is unknown", async () => {
  const definite = world({ creates: [UNAVAILABLE] });
  await assert.rejects(definite.put(), { code: "UNAVAILABLE" });
  assert.deepEqual(definite.calls, ["putIfAbsent"]);
  const mixed = world({ creates: [LOST_REQUEST, UNAVAILABLE, UNAVAILABLE, UNAVAILABLE] });
  await assert.rejects(mixed.put(), { code: "UNKNOWN_OUTCOME" });
  assert.equal(mixed.calls.filter((method) => method === "putIfAbsent").length, 4);
});

test("what stays unknown after all tries is rejected as unknown", async () => {
  const lost = Array.from({ length: 9 }, () => LOST_REQUEST);
  const { calls, clock, put } = world({ creates: lost });
  await assert.rejects(put(), { code: "UNKNOWN_OUTCOME" });
  assert.equal(calls.filter((method) => method === "putIfAbsent").length, 4);
  assert.equal(clock.pendingTimers, 0);
});

test("an object that exists and cannot be read is looked at again, then unknown", async () => {
  const patient = world({ gets: [UNAVAILABLE, UNAVAILABLE] });
  await patient.inner.put("k", MINE);
  assert.equal(await patient.put(), "created");
  const blind = world({ gets: Array.from({ length: 9 }, () => UNAVAILABLE) });
  await blind.inner.put("k", OTHER);
  await assert.rejects(blind.put(), { code: "UNKNOWN_OUTCOME" });
});

test("an object that was there and is gone was another's, unless a try before is unknown", async () => {
  const gone = (call: StoreCall, _count: number, bucket: MemoryBucket): void => {
    if (call.method === "get") bucket.delete("k");
  };
  const clear = world({ before: gone });
  await clear.inner.put("k", OTHER);
  assert.equal(await clear.put(), "exists");
  const unclear = world({
    creates: [LOST_REQUEST],
    before: (call, count, bucket) => {
      if (call.method === "putIfAbsent" && count === 2) bucket.set("k", OTHER);
      if (call.method === "get" && count === 2) bucket.delete("k");
    },
  });
  await assert.rejects(unclear.put(), { code: "UNKNOWN_OUTCOME" });
});

test("an aborted call says what it knows", async () => {
  await assert.rejects(world({}).put(AbortSignal.abort(new Error("stop"))), {
    code: "UNAVAILABLE",
  });
  const abort = new AbortController();
  const { put } = world({
    creates: [LOST_REQUEST],
    before: (call) => {
      if (call.method === "get") abort.abort(new Error("stop"));
    },
  });
  await assert.rejects(put(abort.signal), { code: "UNKNOWN_OUTCOME" });
});

test("a store that is closed while the outcome is unknown leaves it unknown", async () => {
  const closing: Promise<void>[] = [];
  const { inner, put } = world({
    creates: [LOST_REQUEST],
    before: (call, count) => {
      if (call.method === "putIfAbsent" && count === 2) closing.push(inner.close());
    },
  });
  await assert.rejects(put(), { code: "UNKNOWN_OUTCOME" });
  await Promise.all(closing);
});

test("an invalid key passes through", async () => {
  const clock = new ManualClock();
  const options = { clock, random: new SeededRandom(1) };
  await assert.rejects(putIfAbsentResolved(memoryObjectStore(), "../k", MINE, options), {
    code: "INVALID_KEY",
  });
});

test("whatever is lost or late: one creator, who knows it unless told that it is unknown", async () => {
  let unknown = 0;
  let resolved = 0;
  for (let seed = 1; seed <= RUNS; seed += 1) {
    const clock = new ManualClock();
    const bucket = new MemoryBucket();
    const random = new SeededRandom(seed);
    const plan = faultRates(
      { unavailable: 0.15, "lost-answer": 0.2, "lost-request": 0.15, "late-effect": 0.2 },
      { min: 1, max: 3_000 },
    );
    const writers = Array.from({ length: 4 }, async (_writer, index) => {
      const inner = memoryObjectStore({ bucket });
      const store = faultyObjectStore(inner, {
        random: random.fork(`faults ${index}`),
        clock,
        plan,
        latencyMs: { min: 0, max: 50 },
      });
      const body = utf8Encode(`writer ${index}`);
      const limits = { attempts: 3, backoffMsMin: 20, backoffMsMax: 500 };
      try {
        return await putIfAbsentResolved(store, "k", body, {
          clock,
          random: random.fork(`backoff ${index}`),
          limits,
        });
      } catch (error) {
        assert.ok(isKarstError(error, "unavailable", "indeterminate"), error as Error);
        return error.kind;
      }
    });
    const outcomes = await clock.runUntil(Promise.all(writers));
    await clock.advance(10_000);
    const creator = bucket.get("k");
    const winner =
      creator === undefined ? -1 : Number(utf8Decode(creator.bytes).slice("writer ".length));
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome === "created") assert.equal(winner, index, `seed ${seed}`);
      if (outcome === "exists" || outcome === "unavailable")
        assert.notEqual(winner, index, `seed ${seed}`);
      if (outcome === "indeterminate") unknown += 1;
      else resolved += 1;
    }
    if (outcomes.includes("exists")) assert.notEqual(winner, -1, `seed ${seed}`);
  }
  assert.ok(unknown > 0 && resolved > unknown, `${unknown} unknown, ${resolved} resolved`);
});
