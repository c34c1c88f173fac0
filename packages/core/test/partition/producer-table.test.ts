import assert from "node:assert/strict";
import { test } from "vitest";
import {
  type ProducerBatchId,
  ProducerTable,
  sequenceAfter,
  sequenceCount,
} from "../../src/partition/producer-table.ts";

const DURABLE = Promise.resolve();
const MAX = 0x7fff_ffff;

function table(producersMax = 100, expirationMs = 1000): ProducerTable {
  return new ProducerTable({ producersMax, expirationMs });
}

function id(
  baseSequence: number,
  count: number,
  producerEpoch = 0,
  producerId = 1,
): ProducerBatchId {
  return {
    producerId,
    producerEpoch,
    baseSequence,
    lastSequence: sequenceAfter(baseSequence, count - 1),
  };
}

function add(producers: ProducerTable, batch: ProducerBatchId, baseOffset = 0, nowMs = 0): void {
  const { baseSequence, lastSequence } = batch;
  producers.add(
    batch.producerId,
    batch.producerEpoch,
    { baseSequence, lastSequence, baseOffset, logAppendTimeMs: -1, durable: DURABLE },
    nowMs,
  );
}

test("sequences wrap from 2³¹ − 1 to 0", () => {
  assert.equal(sequenceAfter(MAX, 1), 0);
  assert.equal(sequenceAfter(MAX - 1, 3), 1);
  assert.equal(sequenceCount(MAX, 1), 3);
  assert.equal(sequenceCount(5, 5), 1);
  const producers = table();
  add(producers, id(MAX - 1, 3));
  assert.equal(producers.decide(id(1, 1)).tag, "accept");
  assert.equal(producers.decide(id(0, 1)).tag, "out-of-order");
  assert.equal(producers.decide(id(MAX - 1, 3)).tag, "duplicate");
});

test("without state every sequence is accepted", () => {
  assert.equal(table().decide(id(77, 3)).tag, "accept");
});

test("the next sequence is accepted, a gap and an overlap are not", () => {
  const producers = table();
  add(producers, id(0, 10));
  assert.equal(producers.decide(id(10, 1)).tag, "accept");
  assert.deepEqual(producers.decide(id(11, 1)), { tag: "out-of-order", expected: 10 });
  assert.equal(producers.decide(id(5, 10)).tag, "out-of-order");
  assert.equal(producers.decide(id(0, 9)).tag, "out-of-order");
});

test("the last five batches are duplicates, one more is out of order", () => {
  const producers = table();
  for (let i = 0; i < 6; i += 1) add(producers, id(i * 2, 2), i * 2);
  assert.equal(producers.decide(id(0, 2)).tag, "out-of-order");
  for (let i = 1; i < 6; i += 1) {
    const verdict = producers.decide(id(i * 2, 2));
    assert.equal(verdict.tag, "duplicate");
    assert.equal(verdict.tag === "duplicate" && verdict.original.baseOffset, i * 2);
  }
});

test("an older epoch is fenced, a newer one begins at 0 and forgets the batches before", () => {
  const producers = table();
  add(producers, id(0, 5, 3));
  assert.deepEqual(producers.decide(id(5, 1, 2)), { tag: "fenced", epoch: 3 });
  assert.deepEqual(producers.decide(id(5, 1, 4)), { tag: "out-of-order", expected: 0 });
  assert.equal(producers.decide(id(0, 5, 4)).tag, "accept");
  add(producers, id(0, 5, 4));
  assert.deepEqual(producers.decide(id(0, 5, 3)), { tag: "fenced", epoch: 4 });
  assert.equal(producers.get(1)?.batches.length, 1);
});

test("the producer longest silent makes room", () => {
  const producers = table(2);
  add(producers, id(0, 1, 0, 1));
  add(producers, id(0, 1, 0, 2));
  add(producers, id(1, 1, 0, 1));
  add(producers, id(0, 1, 0, 3));
  assert.deepEqual(
    [...producers.entries()].map(([producerId]) => producerId),
    [1, 3],
  );
});

test("silent producers expire", () => {
  const producers = table(10, 1000);
  add(producers, id(0, 1, 0, 1), 0, 100);
  add(producers, id(0, 1, 0, 2), 0, 600);
  producers.expire(1099);
  assert.equal(producers.size, 2);
  producers.expire(1100);
  assert.deepEqual(
    [...producers.entries()].map(([producerId]) => producerId),
    [2],
  );
});
