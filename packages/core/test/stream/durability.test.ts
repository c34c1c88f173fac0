import assert from "node:assert/strict";
import type { WalPosition } from "@karst/wal";
import { beforeEach, test } from "vitest";
import { APPENDS_PER_GROUP_MAX } from "../../src/limits.ts";
import { Durability } from "../../src/stream/durability.ts";
import { StreamLog } from "../../src/stream/stream-log.ts";

const at = (position: number): WalPosition => position as WalPosition;

let durability: Durability;
let log: StreamLog;
let reported: unknown[];

beforeEach(() => {
  reported = [];
  durability = new Durability((error) => reported.push(error));
  log = new StreamLog({ streamId: 1, epoch: 1, logStartOffset: 0, committedEnd: 0 });
});

/** Tracks a frame and tells how its promise settles. */
function track(endOffset: number, end: number, of: StreamLog = log): { state: string } {
  durability.track(of, endOffset, at(end), 10);
  const seen = { state: "pending" };
  of.lastAppend.then(
    () => (seen.state = "durable"),
    (error: Error) => (seen.state = error.message),
  );
  return seen;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a high watermark rises frame by frame, the promise with the last of its group", async () => {
  const first = track(1, 10);
  const second = track(2, 20);
  await turn();
  const third = track(3, 30);
  durability.advance(at(10));
  await turn();
  assert.deepEqual([log.highWatermark, first.state, second.state], [1, "pending", "pending"]);
  durability.advance(at(29));
  await turn();
  assert.deepEqual(
    [log.highWatermark, first.state, second.state, third.state],
    [2, "durable", "durable", "pending"],
  );
  durability.advance(at(30));
  await turn();
  assert.deepEqual([log.highWatermark, third.state], [3, "durable"]);
});

test("the appends of one turn share a promise, up to a limit", async () => {
  track(1, 10);
  const { lastAppend } = log;
  track(2, 20);
  assert.equal(log.lastAppend, lastAppend);
  for (let i = 2; i < APPENDS_PER_GROUP_MAX; i += 1) track(i + 1, 10 * (i + 1));
  assert.equal(log.lastAppend, lastAppend);
  track(APPENDS_PER_GROUP_MAX + 1, 10 * (APPENDS_PER_GROUP_MAX + 1));
  assert.notEqual(log.lastAppend, lastAppend);
  const before = log.lastAppend;
  await turn();
  track(APPENDS_PER_GROUP_MAX + 2, 10 * (APPENDS_PER_GROUP_MAX + 2));
  assert.notEqual(log.lastAppend, before);
});

test("listeners hear of an advance once per stream, after every stream has advanced", () => {
  const other = new StreamLog({ streamId: 2, epoch: 1, logStartOffset: 0, committedEnd: 0 });
  const heard: string[] = [];
  log.onAdvance(() => heard.push(`1: ${log.highWatermark} ${other.highWatermark}`));
  other.onAdvance(() => heard.push(`2: ${log.highWatermark} ${other.highWatermark}`));
  track(1, 10);
  track(5, 20, other);
  track(2, 30);
  durability.advance(at(30));
  assert.deepEqual(heard, ["1: 2 5", "2: 2 5"]);
});

test("after a failure nothing is acknowledged any more", async () => {
  const first = track(1, 10);
  const reached = durability.reached(at(10));
  durability.fail(new Error("failed"), new Error("unknown"));
  durability.advance(at(10));
  await assert.rejects(reached, /failed/);
  await assert.rejects(durability.reached(at(99)), /failed/);
  await turn();
  assert.deepEqual([log.highWatermark, first.state], [0, "unknown"]);
});

test("a position that was reached resolves, in any order of asking", async () => {
  const late = durability.reached(at(50));
  const soon = durability.reached(at(20));
  durability.advance(at(20));
  await soon;
  durability.advance(at(50));
  await late;
  await durability.reached(at(30));
});

test("what a listener throws is reported, and harms nobody", () => {
  log.onAdvance(() => {
    throw new Error("mine");
  });
  track(1, 10);
  durability.advance(at(10));
  assert.equal(reported.length, 1);
  assert.equal(log.highWatermark, 1);
});
