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
