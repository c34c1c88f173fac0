import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { codecById, decodeBatch, encodeBatch } from "@karst/records";
import { test } from "vitest";
import { ZstdWasm } from "../../src/drivers/zstd-wasm.ts";

const { cache } = createRequire(import.meta.url);

/** Packages of codecs that have been evaluated, or have been asked for. */
function loaded(): string[] {
  const packages = Object.keys(cache).flatMap(
    (path) =>
      /node_modules\/(snappy|snappyjs|lz4|lz4-wasm-nodejs|@bokuweb\/zstd-wasm)\//.exec(path)?.[1] ??
      [],
  );
  return [...new Set(packages)];
}

test("packages are loaded by the first use of their codec", () => {
  decodeBatch(encodeBatch([{ timestampMs: 1 }], { codec: "gzip" }));
  assert.deepEqual(loaded(), []);
  codecById(2);
  assert.ok(loaded().every((name) => name.startsWith("snappy")));
  assert.ok(loaded().length > 0);
});

test("an instance that threw is replaced, and so is one that has grown", () => {
  const wasm = new ZstdWasm();
  const bytes = new Uint8Array(1_000);
  const compressed = wasm.compress(bytes);
  // More than it can have: its allocator says so.
  assert.throws(() => wasm.decompress(compressed, 3_000_000_000), RangeError);
  assert.deepEqual(wasm.decompress(compressed, 1_000), bytes);
  assert.deepEqual(wasm.decompress(compressed, 60_000_000), bytes);
  assert.deepEqual(wasm.decompress(compressed, 1_000), bytes);
  assert.equal(wasm.decompress(compressed, 999), undefined);
  assert.throws(() => wasm.decompress(compressed.subarray(1), 1_000), { code: "CORRUPT_BATCH" });
});
