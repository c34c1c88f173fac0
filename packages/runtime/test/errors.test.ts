import {
  assert as invariant,
  defineErrors,
  hasCode,
  isKarstError,
  KarstError,
  RUNTIME_ERRORS,
  runtimeError,
} from "@karst/runtime";
import assert from "node:assert/strict";
import { test } from "vitest";
import { fileError } from "../src/file-errors.ts";

const isolatedCopy = "../src/errors.ts?copy";

test("an error has its kind from the table, its code and its cause", () => {
  const cause = new Error("below");
  const fail = defineErrors({ BROKEN: "corrupt", AWAY: "unavailable" });
  const error = fail("BROKEN", "it broke", cause);
  assert.ok(error instanceof KarstError);
  assert.equal(error.name, "KarstError");
  assert.equal(error.kind, "corrupt");
  assert.equal(error.code, "BROKEN");
  assert.equal(error.message, "it broke");
  assert.equal(error.cause, cause);
  assert.equal("cause" in fail("AWAY", "gone"), false);
  assert.deepEqual(Object.keys(error).toSorted(), ["code", "kind", "name"]);
});

test("errors of another copy of the package are recognised", async () => {
  const copy = (await import(/* @vite-ignore */ isolatedCopy)) as {
    readonly runtimeError: typeof runtimeError;
  };
  const error = copy.runtimeError("NO_SPACE", "full");
  assert.equal(error instanceof KarstError, false);
  assert.equal(isKarstError(error), true);
  assert.equal(isKarstError(error, "corrupt"), false);
  assert.equal(isKarstError(error, "corrupt", "unavailable"), true);
  assert.equal(hasCode(error, "IO_ERROR", "NO_SPACE"), true);
});

test("nothing else is a Karst error", () => {
  for (const value of [
    undefined,
    null,
    "NO_SPACE",
    1,
    new Error("x"),
    { kind: "corrupt", code: "NO_SPACE" },
  ]) {
    assert.equal(isKarstError(value), false);
    assert.equal(hasCode(value, "NO_SPACE"), false);
  }
});

test("every code of the table makes an error of its kind", () => {
  for (const [code, kind] of Object.entries(RUNTIME_ERRORS)) {
    assert.match(code, /^[A-Z][A-Z_]+$/);
    assert.equal(runtimeError(code as keyof typeof RUNTIME_ERRORS, "m").kind, kind);
  }
});

test("a broken invariant is internal", () => {
  invariant(true, "fine");
  assert.throws(
    () => invariant(false, "1 + 1"),
    (error) => hasCode(error, "ASSERTION_FAILED") && isKarstError(error, "internal"),
  );
});

test("system errors are mapped, and nothing else is touched", () => {
  const table = {
    ENOSPC: "NO_SPACE",
    EDQUOT: "NO_SPACE",
    EFBIG: "NO_SPACE",
    ENOENT: "FILE_NOT_FOUND",
    EEXIST: "FILE_EXISTS",
    EIO: "IO_ERROR",
    EACCES: "IO_ERROR",
    EWHATEVER: "IO_ERROR",
  };
  for (const [code, expected] of Object.entries(table)) {
    const cause = Object.assign(new Error(`${code}: what it says, write`), {
      code,
      syscall: "write",
    });
    const error = fileError("write", "/a", cause);
    assert.ok(hasCode(error, expected));
    assert.equal(error.message, `cannot write /a: what it says (${code})`);
    assert.equal(error.cause, cause);
  }
  const misuse = new TypeError("not a path");
  assert.equal(fileError("open", "/a", misuse), misuse);
});
