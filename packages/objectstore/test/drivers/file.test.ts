import { fileObjectStore, type ObjectStore } from "@karst/objectstore";
import { objectStoreConformance } from "@karst/objectstore/conformance";
import { nodeFiles } from "@karst/runtime/node";
import { SeededRandom } from "@karst/runtime/testing";
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, test } from "vitest";

const root = mkdtempSync(join(tmpdir(), "karst-objects-"));
const random = new SeededRandom("file");
let stores = 0;

afterAll(() => rmSync(root, { recursive: true }));

function directory(): string {
  stores += 1;
  return join(root, String(stores), "not", "there", "yet");
}

describe("file over the disk of this machine", () => {
  objectStoreConformance({
    test,
    create: () => fileObjectStore({ files: nodeFiles, random, directory: directory() }),
  });
});

function open(path: string): ObjectStore {
  return fileObjectStore({ files: nodeFiles, random, directory: path });
}

test("of stores of one directory racing for a key exactly one wins, and all see its bytes", async () => {
  const path = directory();
  const racers = Array.from({ length: 20 }, () => open(path));
  const outcomes = await Promise.all(
    racers.map(async (store, index) => {
      const outcome = await store.putIfAbsent("a/b", new Uint8Array([index]));
      return { outcome, index, seen: (await store.get("a/b"))[0] };
    }),
  );
  const winners = outcomes.filter(({ outcome }) => outcome === "created");
  assert.equal(winners.length, 1);
  for (const { seen } of outcomes) assert.equal(seen, winners[0]?.index);
});

test("the root may be a link to a directory elsewhere", async () => {
  stores += 1;
  const [target, link] = [join(root, `${stores}-target`), join(root, `${stores}-link`)];
  mkdirSync(target);
  symlinkSync(target, link);
  await open(link).put("a", new Uint8Array(3));
  assert.equal((await open(target).get("a")).length, 3);
});

test("an object that is a link is not followed", async () => {
  const path = directory();
  const store = open(path);
  await store.put("there", new Uint8Array(3));
  symlinkSync("/etc/passwd", join(path, "objects", "link@"));
  await assert.rejects(store.get("link"), { code: "UNAVAILABLE" });
  assert.equal(await store.head("link"), undefined);
  assert.equal(await store.putIfAbsent("link", new Uint8Array(1)), "exists");
  for await (const { key } of store.list("")) assert.equal(key, "there");
});

test("a root below a file is unavailable, and says why", async () => {
  const path = join(root, "file");
  writeFileSync(path, "");
  await assert.rejects(open(join(path, "x")).put("a", []), {
    code: "UNAVAILABLE",
    message: /not a directory/,
  });
});
