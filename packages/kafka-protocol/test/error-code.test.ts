import assert from "node:assert/strict";
import {
  describeErrorCode,
  ErrorCode,
  KAFKA_PROTOCOL_ERRORS,
  protocolError,
} from "@karst/kafka-protocol";
import { test } from "vitest";

test("every code from -1 to 133 is described", () => {
  const codes = Object.values(ErrorCode).sort((a, b) => a - b);
  assert.deepEqual(
    codes,
    Array.from({ length: 135 }, (_, i) => i - 1),
  );
  for (const code of codes) {
    const description = describeErrorCode(code);
    assert.equal(description?.code, code);
    assert.equal(ErrorCode[description.name], code);
    assert.match(description.message, /^[A-Z].*\.$/);
  }
  assert.equal(describeErrorCode(134), undefined);
});

test("clients retry what they should", () => {
  assert.equal(describeErrorCode(ErrorCode.NOT_LEADER_OR_FOLLOWER)?.retriable, true);
  assert.equal(describeErrorCode(ErrorCode.CORRUPT_MESSAGE)?.retriable, true);
  assert.equal(describeErrorCode(ErrorCode.OFFSET_OUT_OF_RANGE)?.retriable, false);
  assert.equal(describeErrorCode(ErrorCode.NONE)?.retriable, false);
});

test("this package's own errors have the kinds of the table", () => {
  for (const [code, kind] of Object.entries(KAFKA_PROTOCOL_ERRORS)) {
    assert.equal(protocolError(code as keyof typeof KAFKA_PROTOCOL_ERRORS, "").kind, kind);
  }
});
