import assert from "node:assert/strict";
import { hasCode } from "@karst/runtime";

/** What `decode` gives, or undefined when it throws the one error that it may throw. */
export function decodedOrMalformed<Result>(decode: () => Result): Result | undefined {
  try {
    return decode();
  } catch (error) {
    if (!hasCode(error, "MALFORMED_MESSAGE")) throw error;
    assert.equal(error.kind, "corrupt");
    return undefined;
  }
}

/** Whether `decode` refuses its bytes with the one error that it may throw. */
export function isMalformed(decode: () => unknown): boolean {
  return decodedOrMalformed(() => ({ value: decode() })) === undefined;
}

export function assertMalformed(decode: () => unknown, text: RegExp = /./): void {
  assert.throws(decode, (error) => hasCode(error, "MALFORMED_MESSAGE") && text.test(error.message));
}
