import assert from "node:assert/strict";
import { test } from "vitest";
import { LeaderEpochs } from "../../src/partition/leader-epochs.ts";

test("each offset has the epoch under which it was appended", () => {
  const epochs = new LeaderEpochs(10);
  assert.equal(epochs.at(0), -1);
  epochs.assign(1, 0);
  epochs.assign(4, 100);
  assert.deepEqual(
    [0, 99, 100, 5000].map((offset) => epochs.at(offset)),
    [1, 1, 4, 4],
  );
});

test("an epoch without records is replaced, an older or equal one is ignored", () => {
  const epochs = new LeaderEpochs(10);
  epochs.assign(1, 0);
  epochs.assign(2, 10);
  epochs.assign(3, 10);
  epochs.assign(3, 12);
  epochs.assign(1, 20);
  assert.deepEqual(epochs.entries, [
    { epoch: 1, startOffset: 0 },
    { epoch: 3, startOffset: 10 },
  ]);
});

test("the oldest beyond the limit are forgotten", () => {
  const epochs = new LeaderEpochs(3);
  for (let i = 1; i <= 4; i += 1) epochs.assign(i, i * 10);
  assert.deepEqual(
    epochs.entries.map((entry) => entry.epoch),
    [2, 3, 4],
  );
  assert.equal(epochs.at(19), -1);
});

test("an epoch ends where the next one begins, the latest at the end of the log", () => {
  const epochs = new LeaderEpochs(10);
  const log = { startOffset: 0, endOffset: 70 };
  assert.equal(epochs.endOf(1, log), undefined);
  epochs.assign(2, 0);
  epochs.assign(5, 30);
  epochs.assign(6, 50);
  const endOf = (epoch: number, startOffset = 0): unknown => {
    const end = epochs.endOf(epoch, { ...log, startOffset });
    return end && [end.epoch, end.endOffset];
  };
  assert.deepEqual(endOf(6), [6, 70]);
  assert.deepEqual(endOf(5), [5, 50]);
  // Between two: the older of them.
  assert.deepEqual(endOf(3), [2, 30]);
  assert.deepEqual(endOf(2), [2, 30]);
  // Older than all: as if it ended where the oldest begins.
  assert.deepEqual(endOf(1), [1, 0]);
  assert.equal(endOf(7), undefined);
  assert.equal(endOf(-1), undefined);
  assert.deepEqual(endOf(-2), [-2, 0]);
  // What was trimmed is not known any more, and no end lies below the start.
  assert.deepEqual(endOf(2, 30), [2, 30]);
  assert.deepEqual(endOf(3, 30), [3, 30]);
  assert.deepEqual(endOf(2, 10), [2, 30]);
  assert.deepEqual(endOf(1, 10), [1, 10]);
  assert.deepEqual(endOf(5, 40), [5, 50]);
  assert.deepEqual(endOf(3, 40), [3, 40]);
  assert.deepEqual(endOf(3, 60), [3, 60]);
  assert.deepEqual(endOf(6, 60), [6, 70]);
});
