import { sleep } from "@karst/runtime";
import { ManualClock } from "@karst/runtime/testing";
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";

test("timers run in order of time, then of setting, and see their own time", async () => {
  const clock = new ManualClock();
  const start = clock.monotonicMs();
  const seen: string[] = [];
  const at = (name: string, ms: number): void => {
    clock.setTimer(ms, () => seen.push(`${name}@${clock.monotonicMs() - start}`));
  };
  at("c", 20);
  at("a", 10);
  at("b", 10);
  at("d", 2 ** 40);
  await clock.advance(20);
  assert.deepEqual(seen, ["a@10", "b@10", "c@20"]);
  assert.equal(clock.pendingTimers, 1);
  await clock.advance(2 ** 40);
  assert.deepEqual(seen.at(-1), `d@${2 ** 40}`);
  assert.equal(clock.pendingTimers, 0);
});

test("what a timer starts is finished before the next timer runs", async () => {
  const clock = new ManualClock();
  const seen: string[] = [];
  clock.setTimer(1, () => {
    let chain = Promise.resolve();
    for (let i = 0; i < 20; i += 1) chain = chain.then(() => undefined);
    chain.then(
      () => {
        seen.push("chain");
        clock.defer(() => seen.push("deferred"));
        clock.setTimer(0, () => seen.push("at once"));
      },
      () => undefined,
    );
  });
  clock.setTimer(1, () => seen.push("second"));
  clock.setTimer(2, () => seen.push("later"));
  await clock.advance(2);
  assert.deepEqual(seen, ["chain", "deferred", "second", "at once", "later"]);
});

test("any timers run in the order that sorting gives, cancelled ones not at all", async () => {
  const timers = fc.array(fc.record({ ms: fc.nat(50), cancel: fc.boolean() }), { maxLength: 300 });
  await fc.assert(
    fc.asyncProperty(timers, async (plan) => {
      const clock = new ManualClock();
      const ran: number[] = [];
      const set = plan.map(({ ms }, index) => clock.setTimer(ms, () => ran.push(index)));
      for (const [index, { cancel }] of plan.entries()) if (cancel) set[index]?.cancel();
      const expected = plan
        .map((timer, index) => ({ ...timer, index }))
        .filter((timer) => !timer.cancel)
        .toSorted((a, b) => a.ms - b.ms || a.index - b.index)
        .map((timer) => timer.index);
      assert.equal(clock.pendingTimers, expected.length);
      await clock.advance(50);
      assert.deepEqual(ran, expected);
      for (const timer of set) timer.cancel();
      assert.equal(clock.pendingTimers, 0);
    }),
    { numRuns: 50 },
  );
});

test("deferred calls wait to be run, in order; those deferred meanwhile come after", async () => {
  const clock = new ManualClock();
  const seen: number[] = [];
  clock.defer(() => {
    seen.push(1);
    clock.defer(() => seen.push(3));
  });
  clock.defer(() => seen.push(2));
  assert.equal(clock.pendingDeferred, 2);
  await clock.runDeferred();
  assert.deepEqual(seen, [1, 2, 3]);
  assert.equal(clock.pendingDeferred, 0);
});

test("with autoDefer deferred calls need nobody to run them", async () => {
  const clock = new ManualClock({ autoDefer: true });
  const ran = await new Promise<boolean>((resolve) => {
    clock.defer(() => resolve(true));
  });
  assert.equal(ran, true);
});

test("runUntil moves time until the promise settles, and not further", async () => {
  const clock = new ManualClock();
  const start = clock.monotonicMs();
  assert.equal(await clock.runUntil(sleep(clock, 30_000).then(() => "done")), "done");
  assert.equal(clock.monotonicMs() - start, 30_000);
  await assert.rejects(
    clock.runUntil(
      sleep(clock, 1).then(() => {
        throw new Error("failed");
      }),
    ),
    /failed/,
  );
  assert.equal(await clock.runUntil(Promise.resolve(5)), 5);
});

test("runUntil says when nothing can settle the promise", async () => {
  const clock = new ManualClock();
  await assert.rejects(clock.runUntil(new Promise(() => undefined)), /nothing is pending/);
  await assert.rejects(clock.runUntil(sleep(clock, 500), { limitMs: 499 }), /after the limit/);
  clock.clear();
  assert.equal(clock.pendingTimers, 0);
});

test("the wall clock can jump, and monotonic time does not notice", async () => {
  const clock = new ManualClock();
  const start = clock.monotonicMs();
  assert.equal(clock.wallMs(), Date.UTC(2024, 0, 1));
  await clock.advance(1_000);
  clock.setWall(5_000);
  await clock.advance(10);
  assert.equal(clock.wallMs(), 5_010);
  assert.equal(clock.monotonicMs() - start, 1_010);
});

test("an error in a timer reaches whoever moves the clock, and the clock goes on", async () => {
  const clock = new ManualClock();
  clock.setTimer(1, () => {
    throw new Error("in a timer");
  });
  await assert.rejects(clock.advance(2), /in a timer/);
  await clock.advance(2);
});

test("two at once cannot move it, and endless work at one instant is noticed", async () => {
  const clock = new ManualClock();
  const first = clock.advance(1);
  await assert.rejects(clock.advance(1), TypeError);
  await first;
  const again = (): void => {
    clock.setTimer(0, again);
  };
  again();
  await assert.rejects(clock.advance(1), /time cannot pass/);
}, 20_000);
