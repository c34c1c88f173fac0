import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { CODEC_MASK, CODEC_NAMES, decodeBatch, verifyBatch } from "@karst/records";
import { utf8Decode } from "@karst/runtime";
import { test } from "vitest";
import { implementationsOf, outcomeOf } from "./implementations.ts";

const FOLDER = new URL("../fixtures/codecs/", import.meta.url);
const HEADER_BYTES = 61;
const RECORDS = 900;

const files = readdirSync(FOLDER);
const batches = files.filter((name) => name.endsWith(".bin"));
const blobs = files.filter((name) => /\.(lz4|zst)$/.test(name));

function read(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, FOLDER)));
}

function state(order: number): string {
  return order % 5 === 0 ? "open" : "closed";
}

test("batches of two clients in three codecs, and six files of command lines, are there", () => {
  assert.deepEqual([batches.length, blobs.length], [6, 6]);
});

test.each(batches)("%s has the records that were given", async (name) => {
  const batch = read(name);
  const codec = CODEC_NAMES[verifyBatch(batch).attributes & CODEC_MASK] ?? "";
  assert.ok(name.includes(codec));
  const records = decodeBatch(batch);
  assert.equal(records.length, RECORDS);
  for (const [i, record] of records.entries()) {
    const note = ((i * 2654435761) % 0x1_0000_0000).toString(16);
    assert.equal(record.timestampMs, 1_700_000_000_000 + i);
    assert.equal(record.key && utf8Decode(record.key), i % 3 === 0 ? null : `k${i % 7}`);
    assert.equal(
      utf8Decode(record.value as Uint8Array),
      `{"order":${i},"state":"${state(i)}","note":"${note}"}`,
    );
    assert.deepEqual(
      record.headers.map(({ key, value }) => [key, value && utf8Decode(value)]),
      i % 100 === 0 ? [["trace", `t${i}`]] : [],
    );
  }
  const opened = await Promise.all(
    implementationsOf(codec).map(([, each]) =>
      outcomeOf(each, batch.subarray(HEADER_BYTES), 1_000_000),
    ),
  );
  for (const each of opened) assert.deepEqual(each, opened[0]);
});

test.each(blobs)("%s has the lines that were given", async (name) => {
  const lines = Array.from({ length: 6_000 }, (_, i) => `{"order":${i},"state":"${state(i)}"}\n`);
  for (const [, codec] of implementationsOf(name.endsWith(".lz4") ? "lz4" : "zstd")) {
    const decoded = await outcomeOf(codec, read(name), 1_000_000);
    assert.equal(typeof decoded === "string" ? decoded : utf8Decode(decoded), lines.join(""));
  }
});
