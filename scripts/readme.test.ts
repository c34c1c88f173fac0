// The README says what is there: its program is the compiled example, its limits are those of the code.
import assert from "node:assert/strict";
import { DEFAULT_BROKER_LIMITS } from "../packages/broker/src/limits.ts";
import { DEFAULT_LIMITS } from "../packages/core/src/limits.ts";
import { DEFAULT_WAL_LIMITS } from "../packages/wal/src/limits.ts";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "vitest";
import { read, root, textFiles } from "./tidy/tree.ts";

const KiB = 1024;
const UNITS: Readonly<Record<string, number>> = { KiB, MiB: KiB * KiB, bytes: 1 };

test("hello world of the README is the example", () => {
  const program = /```ts\n([\s\S]*?)```/.exec(read("README.md"))?.[1];
  assert.equal(program, read("examples/hello-world.ts"));
  assert.ok(program.trimEnd().split("\n").length <= 11, "ten lines and an empty one");
});

test("limits of the README are the defaults", () => {
  const rows = [
    ...read("README.md").matchAll(/^\| `(\w+)`( of the broker)? \| (\d+)(?: (\w+))? \|/gm),
  ];
  assert.ok(rows.length >= 10);
  for (const [, name = "", broker, amount, unit = "bytes"] of rows) {
    const table: Readonly<Record<string, number>> =
      broker === undefined
        ? { ...DEFAULT_LIMITS, ...DEFAULT_WAL_LIMITS }
        : { ...DEFAULT_BROKER_LIMITS };
    assert.equal(table[name], Number(amount) * (UNITS[unit] ?? NaN), `${name}${broker ?? ""}`);
  }
  assert.match(read("README.md"), /`uploadAgeMs`, 60 s/);
  assert.equal(DEFAULT_LIMITS.uploadAgeMs, 60_000);
});

test("links between pages lead somewhere", () => {
  for (const file of textFiles().filter((path) => path.endsWith(".md"))) {
    for (const [, target = ""] of read(file).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) {
      assert.ok(existsSync(join(root, dirname(file), target)), `${file} links to ${target}`);
    }
  }
});
