// The linter finds planted faults, also those that need the types of another package.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, test } from "vitest";
import { root } from "./tidy/tree.ts";

const planted: string[] = [];

afterEach(() => {
  for (const file of planted.splice(0)) rmSync(file, { recursive: true, force: true });
});

/** Rules that the linter names for a source at this place. */
function rulesFor(path: string, source: string): readonly string[] {
  const file = join(root, path);
  planted.push(path.includes("/planted/") ? dirname(file) : file);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, source);
  const oxlint = join(root, "node_modules", "oxlint", "bin", "oxlint");
  const { stdout } = spawnSync(
    process.execPath,
    [oxlint, "--type-aware", "--format", "unix", path],
    {
      cwd: root,
      encoding: "utf8",
    },
  );
  return [...stdout.matchAll(/\[Error\/([^\]]+)\]/g)].map((match) => match[1] ?? "").sort();
}

const FAULTS = `
import type { Stream } from "@karst/core";

export async function faults(stream: Stream, choice: "a" | "b", anything: any): Promise<unknown> {
  stream.trim(1);
  void stream.trim(2);
  [1].forEach(async () => { await stream.trim(3); });
  if (stream.trim(4)) return 1;
  switch (choice) { case "a": break; }
  const unused = 1;
  return anything;
}
`;

const FOUND = [
  "eslint(no-unused-vars)",
  "typescript(no-explicit-any)",
  "typescript(no-floating-promises)",
  "typescript(no-floating-promises)",
  "typescript(no-misused-promises)",
  "typescript(no-misused-promises)",
  "typescript(switch-exhaustiveness-check)",
];

test("floating and misused promises of another package, any, unused names and forgotten cases", () => {
  for (const path of [
    "packages/karst/src/planted.ts",
    "packages/karst/src/planted/drivers/planted.ts",
  ]) {
    assert.deepEqual(rulesFor(path, FAULTS), FOUND, path);
  }
  assert.deepEqual(rulesFor("packages/karst/test/planted.ts", FAULTS), FOUND);
});

const EFFECTS = `
import { readFileSync } from "node:fs";
export const effects: readonly unknown[] = [
  Date.now(), new Date(), performance.now(), Math.random(), AbortSignal.timeout(1), readFileSync("x"), crypto.randomUUID(),
  setTimeout(() => undefined, 1), setInterval(() => undefined, 1), setImmediate(() => undefined), fetch("x"),
  new FinalizationRegistry(() => undefined), globalThis.setTimeout(() => undefined, 1),
];
export const more: Promise<unknown> = import("node:worker_threads");
`;

test("ambient effects, but for drivers, the Node runtime and tests", () => {
  assert.equal(rulesFor("packages/karst/src/planted.ts", EFFECTS).length, 14);
  for (const path of [
    "packages/karst/src/planted/drivers/planted.ts",
    "packages/runtime/src/node/planted.ts",
    "packages/karst/test/planted.ts",
  ]) {
    assert.deepEqual(rulesFor(path, EFFECTS), [], path);
  }
});

test("cycles of imports", () => {
  rulesFor(
    "packages/karst/src/planted/a.ts",
    'import { b } from "./b.ts";\nexport const a: () => unknown = () => b;\n',
  );
  assert.deepEqual(
    rulesFor(
      "packages/karst/src/planted/b.ts",
      'import { a } from "./a.ts";\nexport const b: () => unknown = () => a;\n',
    ),
    ["import(no-cycle)"],
  );
});
