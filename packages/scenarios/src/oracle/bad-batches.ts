import {
  AT_ATTRIBUTES,
  AT_BATCH_LENGTH,
  AT_COUNT,
  AT_LAST_OFFSET_DELTA,
  AT_LEADER_EPOCH,
  AT_MAGIC,
  AT_MAX_TIMESTAMP,
  batchOfBytes,
  stamped,
} from "./batch-bytes.ts";
import { batch } from "./records.ts";

const CONTROL_AND_TRANSACTIONAL = 0x30;

/** Batches that a broker has to judge, most of them bad, with what is wrong. CRCs are right unless that is the point. */
export const BAD_BATCHES: readonly (readonly [string, Uint8Array])[] = [
  ["wrong CRC", batchOfBytes([0], (view) => view.setUint8(view.byteLength - 1, 0x7f))],
  ["CRC of zero", batchOfBytes([0], (view) => view.setUint32(17, 0))],
  ...[0, 1, 3, -1].map((magic): readonly [string, Uint8Array] => [
    `magic ${magic}`,
    batchOfBytes([0], (view) => view.setInt8(AT_MAGIC, magic)),
  ]),
  ["two batches", joined(batch([0]), batch([1]))],
  ["a batch and a part of one", joined(batch([0]), batch([1]).subarray(0, 30))],
  ["cut off in the records", batch([0, 1, 2]).subarray(0, 80)],
  ["cut off in the header", batch([0]).subarray(0, 40)],
  ["a byte", new Uint8Array(1)],
  ["12 bytes", new Uint8Array(12)],
  ["zeros", new Uint8Array(100)],
  ["a byte too many", joined(batch([0]), new Uint8Array(1))],
  ["length too short", batchOfBytes([0], (view) => view.setInt32(AT_BATCH_LENGTH, 48))],
  ["length negative", batchOfBytes([0], (view) => view.setInt32(AT_BATCH_LENGTH, -1))],
  ["base offset 5", batchOfBytes([0], (view) => view.setBigInt64(0, 5n))],
  ["base offset -1", batchOfBytes([0], (view) => view.setBigInt64(0, -1n))],
  ["leader epoch 9", batchOfBytes([0], (view) => view.setInt32(AT_LEADER_EPOCH, 9))],
  ["last delta too large", stamped([0], (view) => view.setInt32(AT_LAST_OFFSET_DELTA, 5))],
  ["last delta negative", stamped([0], (view) => view.setInt32(AT_LAST_OFFSET_DELTA, -1))],
  ["count too large", stamped([0], (view) => view.setInt32(AT_COUNT, 5))],
  ["count of zero", stamped([0], (view) => view.setInt32(AT_COUNT, 0))],
  ["count negative", stamped([0], (view) => view.setInt32(AT_COUNT, -1))],
  [
    "count and last delta too large",
    stamped([0], (view) => {
      view.setInt32(AT_COUNT, 5);
      view.setInt32(AT_LAST_OFFSET_DELTA, 4);
    }),
  ],
  [
    "count and last delta too small",
    stamped([0, 1, 2], (view) => {
      view.setInt32(AT_COUNT, 2);
      view.setInt32(AT_LAST_OFFSET_DELTA, 1);
    }),
  ],
  ["a control batch", batch([0], { control: true })],
  [
    "a control batch of a producer",
    stamped([0], (view) => view.setInt16(AT_ATTRIBUTES, CONTROL_AND_TRANSACTIONAL)),
  ],
  ["claims an append time", batch([0], { logAppendTimeMs: 1_700_000_000_000 })],
  ["codec 5", stamped([0], (view) => view.setInt16(AT_ATTRIBUTES, 5))],
  ["codec 7", stamped([0], (view) => view.setInt16(AT_ATTRIBUTES, 7))],
  ["gzip that is none", stamped([0], (view) => view.setInt16(AT_ATTRIBUTES, 1))],
  ["snappy that is none", stamped([0], (view) => view.setInt16(AT_ATTRIBUTES, 2))],
  ["lz4 that is none", stamped([0], (view) => view.setInt16(AT_ATTRIBUTES, 3))],
  ["zstd that is none", stamped([0], (view) => view.setInt16(AT_ATTRIBUTES, 4))],
  ["unused attributes", stamped([0], (view) => view.setInt16(AT_ATTRIBUTES, 0x180))],
  ["greatest timestamp wrong", stamped([0, 9], (view) => view.setBigInt64(AT_MAX_TIMESTAMP, 5n))],
  ["record length wrong", stamped([0], (view) => view.setUint8(61, 0x7e))],
  ["record attributes set", stamped([0], (view) => view.setUint8(62, 1))],
  ["record delta wrong", stamped([0], (view) => view.setUint8(64, 2))],
  ["record key too long", stamped([0], (view) => view.setUint8(65, 0x7e))],
];

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
