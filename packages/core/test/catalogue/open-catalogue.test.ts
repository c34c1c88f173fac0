import assert from "node:assert/strict";
import { openCatalogue, rootRow } from "@karst/core";
import { memoryObjectStore, type ObjectStore } from "@karst/objectstore";
import { crc32c, viewOf } from "@karst/runtime";
import { simulatedRuntime } from "@karst/runtime/testing";
import { describe, test } from "vitest";
import { decodeEntry, encodeEntry } from "../../src/catalogue/object-log/entry.ts";
import {
  CHUNKS_PREFIX,
  entryKey,
  LOG_PREFIX,
  manifestKey,
  SNAPSHOTS_PREFIX,
} from "../../src/catalogue/object-log/object-keys.ts";
import { encodeTransaction } from "../../src/catalogue/object-log/transaction-codec.ts";
import { keysOf, SharedRoot, turns } from "./support/shared-root.ts";
import { wrappedStore } from "./support/wrapped-store.ts";

const TINY = {
  snapshotEntriesMin: 3,
  snapshotEntriesMax: 3,
  snapshotEveryEntries: 1,
  chunkBytes: 256,
};
const NEVER = { snapshotEntriesMin: 1_000_000 };

/** A root with a snapshot, entries after it, and nothing else. */
async function written(): Promise<SharedRoot> {
  const root = new SharedRoot();
  const snapshots = await root.open(TINY);
  await root.put(
    snapshots,
    Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`row/${i}`, String(i)])),
  );
  for (let i = 0; i < 2; i += 1) await root.putUntilSnapshot(snapshots, "a");
  await turns();
  await snapshots.close();
  const entries = await root.open(NEVER);
  for (let i = 0; i < 6; i += 1) await root.put(entries, { [`b/${i}`]: "1" });
  await entries.close();
  return root;
}

/** Replaces an object's bytes by what `change` makes of them, under a good CRC where asked. */
async function damage(
  root: SharedRoot,
  key: string,
  change: (bytes: Uint8Array) => void,
  goodCrc: boolean,
): Promise<void> {
  const store = memoryObjectStore({ bucket: root.bucket });
  const bytes = await store.get(key);
  change(bytes);
  if (goodCrc) viewOf(bytes).setUint32(bytes.length - 4, crc32c(bytes.subarray(0, -4)));
  await store.put(key, bytes);
}

async function contents(root: SharedRoot): Promise<ReadonlyMap<string, Uint8Array>> {
  const store = memoryObjectStore({ bucket: root.bucket });
  const all = new Map<string, Uint8Array>();
  for (const key of await keysOf(root.bucket, "")) all.set(key, await store.get(key));
  return all;
}

async function assertRefused(root: SharedRoot, code: string, named: string): Promise<void> {
  const before = await contents(root);
  await assert.rejects(root.open(NEVER), (error: Error & { code?: string }) => {
    assert.equal(error.code, code, String(error));
    assert(error.message.includes(named), `${error.message} names ${named}`);
    return true;
  });
  assert.deepEqual(await contents(root), before, "nothing was written");
}

test("without a root, opening fails unless it is to create one", async () => {
  const runtime = simulatedRuntime({ seed: 1, autoDefer: true });
  const objectStore = memoryObjectStore();
  await assert.rejects(openCatalogue({ objectStore, runtime }), {
    kind: "not_found",
    code: "CATALOGUE_NOT_FOUND",
  });
  const made = await openCatalogue({ objectStore, runtime, create: true });
  const opened = await openCatalogue({ objectStore, runtime });
  assert.equal(opened.rootId, made.rootId);
  assert.equal(rootRow.get(opened, "root")?.value.createdMs, runtime.clock.wallMs());
});

test("of many that create one root at once, all get the same", async () => {
  const root = new SharedRoot();
  const opened = await Promise.all(Array.from({ length: 6 }, () => root.open(NEVER)));
  assert.equal(new Set(opened.map((catalogue) => catalogue.rootId)).size, 1);
  assert.equal(root.history.revision, 1);
  for (const catalogue of opened) root.history.checkImage(catalogue);
});

test("opening reads the newest snapshot and the entries after it, and nothing else", async () => {
  const root = await written();
  root.requests.length = 0;
  const opened = await root.open(NEVER);
  root.history.checkImage(opened);
  const got = root.requests
    .filter((request) => request.method === "get")
    .map((request) => request.key);
  const manifests = (await keysOf(root.bucket, SNAPSHOTS_PREFIX)).length;
  assert.deepEqual(
    got.filter((key) => key.startsWith(SNAPSHOTS_PREFIX)),
    [manifestKey(manifests)],
  );
  assert.deepEqual(
    got.filter((key) => key.startsWith(CHUNKS_PREFIX)).toSorted(),
    await keysOf(root.bucket, CHUNKS_PREFIX),
  );
  const oldest = (await keysOf(root.bucket, LOG_PREFIX))[0] as string;
  assert(got.every((key) => !key.startsWith(LOG_PREFIX) || key >= oldest));
  assert(
    root.requests.every(
      (request) => request.method !== "putIfAbsent" && request.method !== "delete",
    ),
  );
});

describe("corrupt", () => {
  for (const [name, prefix, index] of [
    ["an entry below the end", LOG_PREFIX, 2],
    ["the last entry", LOG_PREFIX, -1],
    ["the newest manifest", SNAPSHOTS_PREFIX, -1],
    ["a chunk", CHUNKS_PREFIX, 0],
  ] as const) {
    test(`a flipped bit in ${name} refuses to open, naming it, and changes nothing`, async () => {
      const root = await written();
      const key = (await keysOf(root.bucket, prefix)).at(index) as string;
      await damage(root, key, (bytes) => bytes.set([(bytes[20] as number) ^ 4], 20), false);
      await assertRefused(root, "CATALOGUE_CORRUPT", key);
    });

    test(`a newer version of ${name} refuses to open, naming it, and changes nothing`, async () => {
      const root = await written();
      const key = (await keysOf(root.bucket, prefix)).at(index) as string;
      // A chunk is compared with its manifest before anybody looks what it says.
      const code = prefix === CHUNKS_PREFIX ? "CATALOGUE_CORRUPT" : "CATALOGUE_VERSION";
      await damage(root, key, (bytes) => viewOf(bytes).setUint16(4, 9), true);
      await assertRefused(root, code, key);
    });
  }

  test("a missing entry below the end refuses to open, however far the end is", async () => {
    for (const distance of [1, 3, 5]) {
      const root = await written();
      const keys = await keysOf(root.bucket, LOG_PREFIX);
      const key = keys.at(-1 - distance) as string;
      await memoryObjectStore({ bucket: root.bucket }).delete([key]);
      await assertRefused(root, "CATALOGUE_CORRUPT", key);
    }
  });

  test("a missing first entry is not taken for an empty place", async () => {
    const root = new SharedRoot();
    const catalogue = await root.open(NEVER);
    for (let i = 0; i < 10; i += 1) await root.put(catalogue, { a: String(i) });
    const store = memoryObjectStore({ bucket: root.bucket });
    await store.delete(Array.from({ length: 8 }, (_, i) => entryKey(i + 1)));
    await assertRefused(root, "CATALOGUE_CORRUPT", entryKey(1));
    await store.delete(Array.from({ length: 20 }, (_, i) => entryKey(i + 1)));
    await store.put(`${CHUNKS_PREFIX}anything`, new Uint8Array(1));
    await openOnce(store);
  });

  test("a missing chunk or manifest refuses to open", async () => {
    const chunkless = await written();
    const chunk = (await keysOf(chunkless.bucket, CHUNKS_PREFIX))[0] as string;
    await memoryObjectStore({ bucket: chunkless.bucket }).delete([chunk]);
    await assertRefused(chunkless, "CATALOGUE_CORRUPT", chunk);

    const gap = await written();
    await memoryObjectStore({ bucket: gap.bucket }).delete([manifestKey(1)]);
    await assertRefused(gap, "CATALOGUE_CORRUPT", manifestKey(1));
  });

  test("an entry that breaks its own requirements refuses to open", async () => {
    const root = new SharedRoot();
    const catalogue = await root.open(NEVER);
    const store = memoryObjectStore({ bucket: root.bucket });
    const first = decodeEntry(await store.get(entryKey(1)), 1);
    const transaction = root.transaction({ a: "1" }, [
      { key: "missing", revision: catalogue.revision },
    ]);
    const bytes = encodeEntry({ number: 2, predecessor: first.id, id: "f".repeat(32) }, [
      encodeTransaction(transaction),
    ]);
    await store.put(entryKey(2), bytes);
    await assertRefused(root, "CATALOGUE_CORRUPT", entryKey(2));
    await assert.rejects(catalogue.refresh(), { code: "CATALOGUE_CORRUPT" });
    assert.equal(catalogue.revision, 1, "the image stays what it was");
    assert.equal(
      (await catalogue.commit(root.transaction({ b: "1" }))).tag,
      "unknown",
      "its slot is taken, and nobody can say by what",
    );
    const doomed = root.transaction({ b: "1" }, [{ key: "b", revision: catalogue.revision }]);
    await assert.rejects(catalogue.commit(doomed), { code: "CATALOGUE_CORRUPT" });
  });

  test("bytes damaged on the way are read again", async () => {
    const root = await written();
    let damaged = 0;
    const seen = new Set<string>();
    const opened = await root.open(NEVER, async (request, pass) => {
      const answer = await pass();
      if (answer instanceof Uint8Array && !seen.has(request.key)) {
        seen.add(request.key);
        damaged += 1;
        return answer.slice(0, -1) as typeof answer;
      }
      return answer;
    });
    assert(damaged > 3);
    root.history.checkImage(opened);
  });
});

test("a root of a newer format version or with unknown features refuses to open", async () => {
  for (const change of [{ formatVersion: 2 }, { features: 8 }]) {
    const root = new SharedRoot();
    const catalogue = await root.open(NEVER);
    const row = rootRow.get(catalogue, "root");
    assert(row !== undefined);
    const put = [rootRow.put("root", { ...row.value, ...change })];
    // What a newer release would do; this one finds out by its own commit, and stops.
    await assert.rejects(catalogue.commit({ ...root.transaction({}), put }), {
      code: "CATALOGUE_VERSION",
    });
    await assert.rejects(catalogue.refresh(), { code: "CATALOGUE_VERSION" });
    await assertRefused(root, "CATALOGUE_VERSION", "root");
  }
});

test("a store that cannot be reached fails the opening, and leaves no half of a root", async () => {
  const bucketRoot = new SharedRoot();
  const failing = wrappedStore(bucketRoot.store, async (request, pass) => {
    if (request.method === "putIfAbsent") await bucketRoot.store.close();
    return pass();
  });
  await assert.rejects(openOnce(failing), { kind: "closed" });
  assert.deepEqual(await keysOf(bucketRoot.bucket, ""), []);
});

async function openOnce(objectStore: ObjectStore): Promise<void> {
  const runtime = simulatedRuntime({ seed: 5, autoDefer: true });
  await (await openCatalogue({ objectStore, runtime, create: true })).close();
}
