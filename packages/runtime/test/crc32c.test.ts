import { crc32c, crc32cImplementation, utf8Encode } from "@karst/runtime";
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import fc from "fast-check";
import { test } from "vitest";

const require = createRequire(new URL("../src/crc32c.ts", import.meta.url));
const portable = (
  require("crc-32/crc32c.js") as { readonly buf: (bytes: Uint8Array, seed: number) => number }
).buf;

test("vectors", () => {
  assert.equal(crc32c(utf8Encode("123456789")), 0xe3069283);
  assert.equal(crc32c(new Uint8Array(0)), 0);
  // RFC 3720, appendix B.4.
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
});

test("the implementation in use and the portable one agree, whole and chained at any place", () => {
  assert.ok(crc32cImplementation === "native" || crc32cImplementation === "portable");
  const input = fc.uint8Array({ maxLength: 5_000, size: "max" });
  fc.assert(
    fc.property(input, fc.nat(), fc.boolean(), (bytes, at, shared) => {
      const data = shared ? new Uint8Array(new SharedArrayBuffer(bytes.length)) : bytes;
      data.set(bytes);
      const cut = at % (bytes.length + 1);
      const whole = crc32c(data);
      assert.equal(whole, portable(bytes, 0) >>> 0);
      assert.equal(crc32c(data.subarray(cut), crc32c(data.subarray(0, cut))), whole);
    }),
  );
});
