// docs/errors.md lists every code of every package, with the kind that the code has in its table.
import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "vitest";
import { read, root, textFiles } from "./tidy/tree.ts";

interface Row {
  readonly code: string;
  readonly kind: string;
  readonly place: string;
}

/** The `*_ERRORS` tables, from the sources themselves. */
async function tables(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const file of textFiles()) {
    const place = /^packages\/([^/]+)\/src\/.*\.ts$/.exec(file)?.[1];
    if (place === undefined) continue;
    const names = [...read(file).matchAll(/^export const (\w+_ERRORS)\b/gm)].map(
      (match) => match[1] ?? "",
    );
    if (names.length === 0) continue;
    const module = (await import(pathToFileURL(join(root, file)).href)) as Readonly<
      Record<string, Readonly<Record<string, string>>>
    >;
    for (const name of names) {
      for (const [code, kind] of Object.entries(module[name] ?? {}))
        rows.push({ code, kind, place });
    }
  }
  return rows;
}

/** Rows of the tables of docs/errors.md, each below the heading of its package; retired codes apart. */
function documented(): { readonly live: readonly Row[]; readonly retired: readonly string[] } {
  const live: Row[] = [];
  const retired: string[] = [];
  let heading = "";
  for (const line of read("docs/errors.md").split("\n")) {
    heading = /^## (.+)$/.exec(line)?.[1] ?? heading;
    const [code, kind] = [...line.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "");
    if (!/^\| `[A-Z_0-9]+` \|/.test(line) || code === undefined) continue;
    if (heading === "Retired") retired.push(code);
    else live.push({ code, kind: kind ?? "", place: heading });
  }
  return { live, retired };
}

const print = (rows: readonly Row[]): readonly string[] =>
  rows.map(({ place, code, kind }) => `${place}: ${code} (${kind})`).sort();

test("docs/errors.md lists every code with its kind", async () => {
  assert.deepEqual(print(documented().live), print(await tables()));
});

test("a code means one thing: no two packages share one, and none comes back from retirement", async () => {
  const codes = [...(await tables()).map(({ code }) => code), ...documented().retired].sort();
  assert.deepEqual(codes, [...new Set(codes)]);
});
