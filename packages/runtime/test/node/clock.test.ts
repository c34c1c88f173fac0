import { sleep } from "@karst/runtime";
import { nodeClock } from "@karst/runtime/node";
import assert from "node:assert/strict";
import { afterEach, beforeEach, test, vi } from "vitest";

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setImmediate", "performance", "Date"],
  });
});
afterEach(() => {
  vi.useRealTimers();
});

test("a timer fires once, when its delay has passed", () => {
  let calls = 0;
  nodeClock.setTimer(50, () => (calls += 1));
  vi.advanceTimersByTime(49);
  assert.equal(calls, 0);
  vi.advanceTimersByTime(1);
  assert.equal(calls, 1);
  vi.advanceTimersByTime(1_000);
  assert.equal(calls, 1);
});

test("delays above 2³¹ ms are waited for in full", () => {
  let calls = 0;
  const delayMs = 3 * 2 ** 31 + 17;
  nodeClock.setTimer(delayMs, () => (calls += 1));
  vi.advanceTimersByTime(delayMs - 1);
  assert.equal(calls, 0);
  vi.advanceTimersByTime(1);
  assert.equal(calls, 1);
});

test("a long timer can be cancelled after it was re-armed", () => {
  let calls = 0;
  const timer = nodeClock.setTimer(2 ** 32, () => (calls += 1));
  vi.advanceTimersByTime(2 ** 31 + 1);
  timer.cancel();
  timer.cancel();
  vi.advanceTimersByTime(2 ** 33);
  assert.equal(calls, 0);
});

test("a fraction of a millisecond is not cut off, and a negative delay is none", () => {
  const calls: string[] = [];
  nodeClock.setTimer(1.5, () => calls.push("fraction"));
  nodeClock.setTimer(-5, () => calls.push("negative"));
  vi.advanceTimersByTime(1);
  assert.deepEqual(calls, ["negative"]);
  vi.advanceTimersByTime(1);
  assert.deepEqual(calls, ["negative", "fraction"]);
});

test("a delay must be finite", () => {
  assert.throws(() => nodeClock.setTimer(Infinity, () => undefined), TypeError);
  assert.throws(() => nodeClock.setTimer(Number.NaN, () => undefined), TypeError);
});

test("sleep ends with its time, or with its signal, and leaves no listener behind", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const done = sleep(nodeClock, 10, controller.signal);
  vi.advanceTimersByTime(10);
  await done;
  const aborted = sleep(nodeClock, 10, controller.signal);
  controller.abort(reason);
  await assert.rejects(aborted, reason);
  await assert.rejects(sleep(nodeClock, 10, controller.signal), reason);
  assert.equal(vi.getTimerCount(), 0);
});

test("the process's clocks, and deferred calls", () => {
  const wallMs = nodeClock.wallMs();
  const monotonicMs = nodeClock.monotonicMs();
  let deferred = false;
  nodeClock.defer(() => {
    deferred = true;
  });
  assert.equal(deferred, false);
  vi.advanceTimersByTime(25);
  assert.equal(nodeClock.wallMs() - wallMs, 25);
  assert.ok(Math.abs(nodeClock.monotonicMs() - monotonicMs - 25) < 1e-6);
  assert.equal(deferred, true);
});
