import assert from "node:assert/strict";
import { isUuid, uuidFromBase64, uuidToBase64, ZERO_UUID } from "@karst/kafka-protocol";
import fc from "fast-check";
import { test } from "vitest";
import { readUuid, writeUuid } from "../src/uuid.ts";
import { assertMalformed, decodedOrMalformed } from "./support/malformed.ts";

const sixteenBytes = fc.uint8Array({ minLength: 16, maxLength: 16 });

test("bytes, hexadecimal and Kafka's text form are one another", () => {
  fc.assert(
    fc.property(sixteenBytes, (bytes) => {
      const uuid = readUuid(bytes, 0);
      assert.equal(uuid, Buffer.from(bytes).toString("hex"));
      const written = new Uint8Array(18);
      writeUuid(uuid, written, 1);
      assert.deepEqual(written, Uint8Array.of(0, ...bytes, 0));
      assert.equal(uuidToBase64(uuid), Buffer.from(bytes).toString("base64url"));
      assert.equal(uuidFromBase64(uuidToBase64(uuid)), uuid);
    }),
  );
});

test("the reserved ids", () => {
  assert.equal(uuidToBase64(ZERO_UUID), "AAAAAAAAAAAAAAAAAAAAAA");
  assert.equal(uuidFromBase64("AAAAAAAAAAAAAAAAAAAAAQ"), "00000000000000000000000000000001");
});

test("what is no uuid is refused", () => {
  for (const text of [
    "",
    "AAAAAAAAAAAAAAAAAAAAA",
    "AAAAAAAAAAAAAAAAAAAAAB",
    "AAAAAAAAAAAAAAAAAAAAAA==",
    "AAAAAAAAAAAAAAAAAAAA+A",
  ]) {
    assertMalformed(() => uuidFromBase64(text));
  }
  const bad = [
    "",
    "0".repeat(31),
    "0".repeat(33),
    "A".repeat(32),
    `${"0".repeat(31)}g`,
    `${"0".repeat(31)}é`,
    `Ā${"0".repeat(31)}`,
  ];
  for (const uuid of bad) {
    assert.equal(isUuid(uuid), false);
    assert.throws(() => writeUuid(uuid, new Uint8Array(16), 0), TypeError);
  }
  fc.assert(
    fc.property(fc.string({ maxLength: 24 }), (text) => {
      const uuid = decodedOrMalformed(() => uuidFromBase64(text));
      if (uuid !== undefined) assert.equal(uuidToBase64(uuid), text);
    }),
  );
});
