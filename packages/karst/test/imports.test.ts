import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "vitest";

const SOURCES = fileURLToPath(new URL("../src", import.meta.url));

/** What a file and all that it imports import from outside, types and dynamic imports left out. */
function loadedBy(file: string, seen: Set<string> = new Set()): ReadonlySet<string> {
  const loaded = new Set<string>();
  if (seen.has(file)) return loaded;
  seen.add(file);
  const source = readFileSync(file, "utf8");
  for (const match of source.matchAll(/^(?:import|export)\s(?!type\b)[^;]*?from "([^"]+)"/gm)) {
    const specifier = match[1] ?? "";
    if (!specifier.startsWith(".")) loaded.add(specifier);
    else for (const each of loadedBy(join(dirname(file), specifier), seen)) loaded.add(each);
  }
  return loaded;
}

test("importing karst loads the engine with its memory and file drivers, and nothing else", () => {
  assert.deepEqual([...loadedBy(join(SOURCES, "index.ts"))].sort(), [
    "@karst/core",
    "@karst/objectstore",
    "@karst/records",
    "@karst/runtime",
    "@karst/runtime/node",
    "@karst/wal",
  ]);
});

test("importing karst loads no SDK of an object store", () => {
  const main = fileURLToPath(new URL("../../objectstore/src/index.ts", import.meta.url));
  assert.deepEqual([...loadedBy(main)].sort(), ["@karst/runtime", "node:path"]);
});

test("the command loads the broker only when it serves", () => {
  const loaded = loadedBy(join(SOURCES, "main.ts"));
  assert.ok(!loaded.has("@karst/broker"));
});
