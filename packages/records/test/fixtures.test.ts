import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "vitest";
import {
  type BatchHeader,
  CODEC_MASK,
  CODEC_NAMES,
  decodeBatch,
  encodeBatch,
  validateBatch,
  verifyBatch,
} from "@karst/records";
import { utf8Decode } from "@karst/runtime";

const FOLDER = new URL("./fixtures/v1/", import.meta.url);
const T = 1_700_000_000_000;

/** Offset, timestamp, key, value, headers. */
type Row = readonly [
  number,
  number,
  string | null,
  string | null,
  readonly (readonly [string, string | null])[],
];

const LIBRARY_ROWS: readonly Row[] = [
  [0, T, "k1", "hello", []],
  [
    1,
    T + 5,
    null,
    "no key",
    [
      ["trace", "abc"],
      ["ünï", "väl"],
    ],
  ],
  [2, T + 3, "k3", null, []],
  [3, T + 3, "", "", []],
  [4, T + 100_000, "k5", "x".repeat(300), [["a", "1"]]],
];

const KCAT_ROWS: readonly (readonly [string | null, string | null])[] = [
  ["k1", "hello"],
  [null, "no key"],
  ["k3", null],
  ["k5", "x".repeat(300)],
];

const files = readdirSync(FOLDER).filter((name) => name.endsWith(".bin"));

function batchOf(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, FOLDER)));
}

function rowsOf(batch: Uint8Array): Row[] {
  return decodeBatch(batch).map((record) => [
    record.offset,
    record.timestampMs,
    textOf(record.key),
    textOf(record.value),
    record.headers.map((header) => [header.key, textOf(header.value)] as const),
  ]);
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : utf8Decode(bytes);
}

test("twelve batches of three clients are there", () => {
  assert.equal(files.length, 12);
});

test.each(files)("%s is accepted, whatever its codec", (name) => {
  const header = validateBatch(batchOf(name), { bytesMax: 1000 });
  assert.equal(header.count, name.startsWith("kcat") ? 4 : 5);
  assert.equal(header.producerId, name.includes("idempotent") ? 4242 : -1);
});

test.each(files.filter((name) => !name.startsWith("kcat")))(
  "%s has the records that were given",
  (name) => {
    assert.deepEqual(rowsOf(batchOf(name)), LIBRARY_ROWS);
  },
);

test.each(files.filter((name) => name.startsWith("kcat")))(
  "%s has the lines that were given",
  (name) => {
    const rows = rowsOf(batchOf(name));
    assert.deepEqual(
      rows.map((row) => [row[2], row[3]]),
      KCAT_ROWS,
    );
    for (const [i, row] of rows.entries()) {
      assert.equal(row[0], i);
      assert.deepEqual(row[4], [["trace", "abc"]]);
    }
  },
);

test.each(files)("%s, encoded again, says the same", (name) => {
  const batch = batchOf(name);
  const header = verifyBatch(batch);
  const again = encodeBatch(decodeBatch(batch), {
    leaderEpoch: header.leaderEpoch,
    codec: CODEC_NAMES[header.attributes & CODEC_MASK] ?? "none",
    producer: {
      id: header.producerId,
      epoch: header.producerEpoch,
      baseSequence: header.baseSequence,
    },
  });
  assert.deepEqual(rowsOf(again), rowsOf(batch));
  assert.deepEqual(said(verifyBatch(again)), said(header));
  // Uncompressed there is one way only to write a batch.
  if ((header.attributes & CODEC_MASK) === 0) assert.deepEqual(again, batch);
});

/** Without what depends on the compressor. */
function said(header: BatchHeader): Partial<BatchHeader> {
  const { bytes: _bytes, crc: _crc, ...rest } = header;
  return rest;
}
