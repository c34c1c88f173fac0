import {
  concatBytes,
  copyOf,
  equalBytes,
  getInt64,
  hasCode,
  setInt64,
  utf8Decode,
  utf8DecodeStrict,
  utf8Encode,
  viewOf,
} from "@karst/runtime";
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";

const isTruncated = (error: unknown): boolean => hasCode(error, "TRUNCATED");

test("int64: vectors", () => {
  const bytes = new Uint8Array(10);
  const view = viewOf(bytes);
  const vectors: readonly [number, string][] = [
    [0, "0000000000000000"],
    [1, "0000000000000001"],
    [-1, "ffffffffffffffff"],
    [0xffff_ffff, "00000000ffffffff"],
    [0x1_0000_0000, "0000000100000000"],
    [-0x1_0000_0000, "ffffffff00000000"],
    [-0x1_0000_0001, "fffffffeffffffff"],
    [Number.MAX_SAFE_INTEGER, "001fffffffffffff"],
    [Number.MIN_SAFE_INTEGER, "ffe0000000000001"],
  ];
  for (const [value, hex] of vectors) {
    setInt64(view, 1, value);
    assert.equal(Buffer.from(bytes.subarray(1, 9)).toString("hex"), hex);
    assert.equal(getInt64(view, 1), value);
  }
});

test("int64: every safe integer round-trips, as the platform's own int64", () => {
  const view = new DataView(new ArrayBuffer(8));
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      setInt64(view, 0, value);
      assert.equal(view.getBigInt64(0), BigInt(value));
      assert.equal(getInt64(view, 0), value);
    }),
  );
});

test("int64: what is not a safe integer is refused", () => {
  const view = new DataView(new ArrayBuffer(8));
  for (const value of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)]) {
    view.setBigInt64(0, value);
    assert.throws(() => getInt64(view, 0), isTruncated);
  }
});

test("viewOf covers exactly its bytes", () => {
  const view = viewOf(Uint8Array.of(1, 2, 3, 4).subarray(1, 3));
  assert.equal(view.byteLength, 2);
  assert.equal(view.getUint8(0), 2);
});

test("copies share nothing", () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const copy = copyOf(bytes.subarray(1));
  bytes.fill(0);
  assert.deepEqual(copy, Uint8Array.of(2, 3));
  assert.equal(copy.buffer.byteLength, 2);
});

test("concatBytes and equalBytes", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), (parts) => {
      const whole = concatBytes(parts);
      return equalBytes(whole, Uint8Array.from(parts.flatMap((part) => [...part])));
    }),
  );
  assert.equal(equalBytes(Uint8Array.of(1), Uint8Array.of(1, 2)), false);
  assert.equal(equalBytes(Uint8Array.of(1, 3), Uint8Array.of(1, 2)), false);
});

test("UTF-8: round trip, and malformed input", () => {
  const text = "kärst — 川 🪨";
  assert.equal(utf8DecodeStrict(utf8Encode(text)), text);
  // A byte order mark is a character like any other.
  assert.equal(utf8DecodeStrict(utf8Encode(`\uFEFF${text}`)), `\uFEFF${text}`);
  for (const bad of [[0xc3], [0xff], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]]) {
    assert.throws(() => utf8DecodeStrict(Uint8Array.from(bad)), isTruncated);
    assert.match(utf8Decode(Uint8Array.from(bad)), /�/);
  }
});
