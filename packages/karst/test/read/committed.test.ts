import assert from "node:assert/strict";
import { type BatchOptions, encodeBatch } from "@karst/records";
import { test } from "vitest";
import { CommittedFilter } from "../../src/read/committed.ts";

const producer = (id: number): BatchOptions["producer"] & object => ({
  id,
  epoch: 0,
  baseSequence: 0,
});

const plain = (baseOffset: number): Uint8Array =>
  encodeBatch([{ timestampMs: 1, value: new Uint8Array() }], { baseOffset });

const transactional = (baseOffset: number, id: number): Uint8Array =>
  encodeBatch([{ timestampMs: 1, value: new Uint8Array() }], {
    baseOffset,
    producer: producer(id),
    transactional: true,
  });

const marker = (baseOffset: number, id: number): Uint8Array =>
  encodeBatch([{ timestampMs: 1, value: new Uint8Array() }], {
    baseOffset,
    producer: producer(id),
    transactional: true,
    control: true,
  });

const accepted = (filter: CommittedFilter, batches: readonly Uint8Array[]): readonly number[] =>
  batches.flatMap((batch, index) => (filter.accepts(batch) ? [index] : []));

test("without aborted transactions only control batches are left out", () => {
  const filter = new CommittedFilter([]);
  assert.deepEqual(
    accepted(filter, [plain(0), transactional(1, 7), marker(2, 7), plain(3)]),
    [0, 1, 3],
  );
});

test("an aborted transaction is left out up to its marker, and no other", () => {
  const filter = new CommittedFilter([{ producerId: 7, firstOffset: 1 }]);
  const batches = [
    plain(0),
    transactional(1, 7),
    transactional(2, 8),
    transactional(3, 7),
    plain(4),
    marker(5, 7),
    transactional(6, 7),
    marker(7, 8),
    marker(8, 7),
  ];
  assert.deepEqual(accepted(filter, batches), [0, 2, 4, 6]);
});

test("two aborted transactions of one producer", () => {
  const filter = new CommittedFilter([
    { producerId: 7, firstOffset: 4 },
    { producerId: 7, firstOffset: 0 },
  ]);
  const batches = [
    transactional(0, 7),
    marker(1, 7),
    transactional(2, 7),
    marker(3, 7),
    transactional(4, 7),
    marker(5, 7),
  ];
  assert.deepEqual(accepted(filter, batches), [2]);
});

test("an aborted transaction of which only the marker is read does not hide the next one", () => {
  const filter = new CommittedFilter([{ producerId: 7, firstOffset: 10 }]);
  assert.deepEqual(accepted(filter, [marker(12, 7), transactional(13, 7)]), [1]);
});
