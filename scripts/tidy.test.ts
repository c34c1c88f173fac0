// What reviewers would otherwise have to notice: who imports whom, leftovers, pages that must exist.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "vitest";
import { importsOf, packageOf, packages, read, root, textFiles } from "./tidy/tree.ts";

/** Who may import whom (docs/guides/layout.md). Everything is allowed to `scenarios`, which nobody imports. */
const IMPORTS: Readonly<Record<string, readonly string[]>> = {
  runtime: [],
  objectstore: ["runtime"],
  wal: ["runtime", "objectstore"],
  records: ["runtime"],
  "kafka-protocol": ["runtime"],
  core: ["runtime", "objectstore", "wal", "records"],
  broker: ["runtime", "core", "records", "kafka-protocol"],
  testing: ["runtime", "objectstore", "wal", "records", "core", "broker", "kafka-protocol"],
  karst: ["runtime", "objectstore", "wal", "records", "core", "broker"],
};
const PRIVATE = ["scenarios", "benchmarks", "examples"];

/** Modules of Node that reach the outside world. */
const EFFECTS =
  /^(node:)?(fs|fs\/promises|net|tls|dgram|dns|http|https|http2|worker_threads|child_process|cluster|crypto|perf_hooks|timers|timers\/promises|os)$/;

const all = textFiles();
const typescript = all.filter((path) => path.endsWith(".ts"));
const workspaces = packages();
const folderOf = new Map(workspaces.map((each) => [each.manifest.name, each.folder]));

test("packages depend only on those below them", () => {
  for (const { folder, path, manifest, references } of workspaces) {
    const declared = namesOf(manifest.dependencies);
    assert.deepEqual(
      [...references].sort(),
      declared,
      `${path}: references of tsconfig.json and dependencies of package.json differ`,
    );
    const allowed = IMPORTS[folder];
    if (allowed === undefined) {
      assert.ok(PRIVATE.includes(folder), `${path} is missing in the import table`);
      continue;
    }
    for (const name of declared) {
      assert.ok(allowed.includes(name), `${path} must not depend on ${name}`);
    }
  }
});

test("imports are declared, and what is declared is imported", () => {
  for (const { folder, path, manifest } of workspaces) {
    const sources = typescript.filter((file) => file.startsWith(`${path}/src/`));
    const used = new Set(sources.flatMap((file) => importsOf(read(file))).map(packageOf));
    const declared = new Set([
      ...Object.keys(manifest.dependencies ?? {}),
      ...Object.keys(manifest.optionalDependencies ?? {}),
      ...Object.keys(manifest.peerDependencies ?? {}),
      ...(manifest.private === true ? Object.keys(manifest.devDependencies ?? {}) : []),
    ]);
    for (const name of used) {
      // Test doubles and conformance suites take their `test` from the caller and import nothing else.
      if (name === undefined || name === manifest.name) continue;
      assert.ok(declared.has(name), `${path}/src imports ${name}, which package.json lacks`);
    }
    if (PRIVATE.includes(folder)) continue;
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      if (!folderOf.has(name)) continue;
      assert.ok(used.has(name), `${path} declares ${name} and never imports it`);
    }
  }
});

test("only drivers and runtime/node reach files, sockets, processes and workers", () => {
  for (const file of typescript) {
    if (!/^packages\/[^/]+\/src\//.test(file) || file.startsWith("packages/scenarios/")) continue;
    if (file.includes("/drivers/") || file.startsWith("packages/runtime/src/node/")) continue;
    for (const name of importsOf(read(file))) {
      assert.ok(!EFFECTS.test(name), `${file} imports ${name}: take the port instead`);
    }
  }
});

test("nothing is left behind", () => {
  // Spelled so that this file does not find itself.
  const marks = new RegExp(`\\b(${["FIX" + "ME", "TO" + "DO", "XX" + "X"].join("|")})\\b`);
  const focus = new RegExp(
    `\\b(test|it|describe|suite)\\.(${["on" + "ly", "sk" + "ip", "to" + "do"].join("|")})\\b`,
  );
  const machine = new RegExp(
    `(^|[\\s"'\`(=:])/(${["work", "root", "home", "Users"].join("|")})/\\w`,
  );
  const found = all
    .filter((file) => file !== "scripts/tidy.test.ts")
    .flatMap((file) =>
      read(file)
        .split("\n")
        .flatMap((line, index) =>
          marks.test(line) || (file.endsWith(".ts") && focus.test(line)) || machine.test(line)
            ? [`${file}:${index + 1}: ${line.trim()}`]
            : [],
        ),
    );
  assert.deepEqual(found, []);
});

test("files are named by one noun or verb", () => {
  const vague = new Set(["utils", "util", "helpers", "helper", "misc", "common"]);
  for (const file of typescript) {
    // `sticky.prop.test.ts`: a name, then what kind of file it is.
    const name = basename(file, ".ts");
    assert.match(name, /^[a-z0-9]+([-.][a-z0-9]+)*$/, `${file} is not kebab-case`);
    assert.ok(!vague.has(name.split(".")[0] ?? ""), `${file}: say what is in it`);
  }
});

test("every package has a README of fewer than 500 words", () => {
  for (const { path } of workspaces) {
    assert.ok(existsSync(join(root, path, "README.md")), `${path} has no README.md`);
    const words = read(`${path}/README.md`)
      .split(/\s+/)
      .filter((word) => word !== "").length;
    assert.ok(words < 500, `${path}/README.md has ${words} words`);
  }
});

test("sources and package doors agree", () => {
  for (const { folder, path } of workspaces) {
    if (PRIVATE.includes(folder)) continue;
    assert.doesNotMatch(
      read(`${path}/src/index.ts`),
      /export \* from/,
      `${path}: name the exports`,
    );
  }
});

test("the longest files", () => {
  const lengths = typescript
    .filter((file) => /^packages\/[^/]+\/src\//.test(file))
    .map((file) => ({ file, lines: read(file).split("\n").length }))
    .sort((a, b) => b.lines - a.lines);
  console.log(
    lengths
      .slice(0, 8)
      .map(({ file, lines }) => `${String(lines).padStart(5)} ${file}`)
      .join("\n"),
  );
  assert.ok(lengths.length > 0);
});

/** Folders of the workspace packages among the dependencies, sorted. */
function namesOf(dependencies: Readonly<Record<string, string>> | undefined): readonly string[] {
  return Object.keys(dependencies ?? {})
    .flatMap((name) => folderOf.get(name) ?? [])
    .sort();
}
