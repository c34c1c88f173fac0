import { OBJECT_STORE_ERRORS, objectStoreError } from "@karst/objectstore";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "vitest";

test("every code has its kind, and is in the README", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  for (const [code, kind] of Object.entries(OBJECT_STORE_ERRORS)) {
    assert.equal(objectStoreError(code as keyof typeof OBJECT_STORE_ERRORS, "why").kind, kind);
    assert.ok(readme.includes(`\`${code}\``), code);
  }
});
