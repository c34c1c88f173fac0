import assert from "node:assert/strict";
import { test } from "vitest";
import { chunkKeys, decodeManifest } from "../../../src/catalogue/object-log/manifest.ts";
import {
  CHUNKS_PREFIX,
  entryKey,
  LOG_PREFIX,
  manifestKey,
  SNAPSHOTS_PREFIX,
} from "../../../src/catalogue/object-log/object-keys.ts";
import { Gate, SharedRoot, textOf, turns } from "../support/shared-root.ts";

const TINY = {
  snapshotEntriesMin: 3,
  snapshotEntriesMax: 3,
  snapshotEveryEntries: 1,
  chunkBytes: 64,
};
const NEVER = { snapshotEntriesMin: 1_000_000 };

test("a writer that slept while its slot was trimmed creates the slot, and is not believed", async () => {
  const root = new SharedRoot();
  const gate = new Gate();
  const zombie = await root.open(NEVER, gate.around);
  const other = await root.open(TINY);
  const before = await root.put(zombie, { key: "before" });
  await other.refresh();

  const held = gate.hold((request) => request.method === "putIfAbsent");
  const free = zombie.commit(root.transaction({ mine: "free" }));
  await held;
  await root.putUntilSnapshot(other, "key");
  await turns();
  assert(!(await root.keys(LOG_PREFIX)).includes(entryKey(before + 1)), "the slot was trimmed");
  const tail = root.history.revision;
  gate.release();

  const outcome = await free;
  assert.equal(root.history.dead, 1);
  assert(root.count("doubtful_slots") > 0);
  assert.deepEqual(outcome, { tag: "ok", revision: tail + 1 });
  root.history.checkImage(zombie);
  await other.refresh();
  assert.equal(textOf(other, "mine"), "free");
});

test("a zombie whose requirement no longer holds gets a conflict", async () => {
  const root = new SharedRoot();
  const gate = new Gate();
  const zombie = await root.open(NEVER, gate.around);
  const other = await root.open(TINY);
  await root.put(zombie, { key: "before" });
  await other.refresh();
  const row = zombie.get("key");
  assert(row !== undefined);

  const held = gate.hold((request) => request.method === "putIfAbsent");
  const bound = zombie.commit(
    root.transaction({ key: "zombie" }, [{ key: "key", revision: row.revision }]),
  );
  await held;
  await root.putUntilSnapshot(other, "key");
  await turns();
  gate.release();
  assert.deepEqual(await bound, { tag: "conflict", key: "key" });
  assert.equal(root.history.dead, 1);
  root.history.checkImage(zombie);
});

test("a zombie that the snapshot no longer remembers gets unknown, never a wrong answer", async () => {
  const root = new SharedRoot();
  const gate = new Gate();
  const zombie = await root.open(NEVER, gate.around);
  const other = await root.open({ ...TINY, recentTransactionsMax: 1 });
  await root.put(zombie, { key: "before" });
  await other.refresh();
  const held = gate.hold((request) => request.method === "putIfAbsent");
  const transaction = root.transaction({ mine: "1" });
  const committing = zombie.commit(transaction);
  await held;
  for (let i = 0; i < 2; i += 1) await root.putUntilSnapshot(other, "key");
  await turns();
  gate.release();
  assert.equal((await committing).tag, "unknown");
  assert.equal((await zombie.commit(transaction)).tag, "unknown", "and it stays so");
  assert.equal((await zombie.commit(root.transaction({ other: "1" }))).tag, "ok");
});

test("a reader that slept does not believe what a zombie put into a trimmed slot", async () => {
  const root = new SharedRoot();
  const gate = new Gate();
  const zombie = await root.open(NEVER, gate.around);
  const other = await root.open(TINY);
  await root.put(zombie, { key: "before" });
  const reader = await root.open(NEVER);
  await other.refresh();

  const putting = gate.hold((request) => request.method === "putIfAbsent");
  const zombieCommit = zombie.commit(root.transaction({ ghost: "boo" }));
  await putting;
  await root.putUntilSnapshot(other, "key");
  await turns();
  // The zombie goes on as far as between its PUT and its probe: its entry is there for everybody to see.
  gate.release();
  await gate.hold((request) => request.method === "head");
  assert.equal(root.history.dead, 1);
  await reader.refresh();
  assert.equal(reader.get("ghost"), undefined);
  root.history.checkImage(reader);
  gate.release();
  assert.equal((await zombieCommit).tag, "ok");
});

test("of two builders of one snapshot the first wins, and the other's chunks are removed later", async () => {
  const root = new SharedRoot();
  const gate = new Gate();
  const slow = await root.open(TINY, gate.around);
  const fast = await root.open({ ...TINY, snapshotEntriesMin: 4, snapshotEntriesMax: 4 });
  const held = gate.hold(
    (request) => request.key === manifestKey(1) && request.method === "putIfAbsent",
  );
  await root.put(slow, { a: "1" });
  await root.put(slow, { b: "1" });
  await held;
  await fast.refresh();
  await root.putUntilSnapshot(fast, "c");
  assert.equal(root.count("written_snapshots"), 1);
  gate.release();
  await turns();
  assert.equal(root.count("lost_snapshots"), 1);
  assert.deepEqual(await root.keys(SNAPSHOTS_PREFIX), [manifestKey(1)]);
  const withOrphans = (await root.keys(CHUNKS_PREFIX)).length;
  await root.putUntilSnapshot(fast, "c");
  await turns();
  assert.deepEqual(await root.keys(SNAPSHOTS_PREFIX), [manifestKey(1), manifestKey(2)]);
  assert((await root.keys(CHUNKS_PREFIX)).length < withOrphans + 3);
  const opened = await root.open(NEVER);
  root.history.checkImage(opened);
  assert.deepEqual(await root.keys(CHUNKS_PREFIX), await referenced(root));
});

test("a builder that slept through later snapshots neither publishes nor removes anything", async () => {
  const root = new SharedRoot();
  const gate = new Gate();
  const slow = await root.open(TINY, gate.around);
  const fast = await root.open(TINY);
  const held = gate.hold(
    (request) => request.key === manifestKey(1) && request.method === "putIfAbsent",
  );
  await root.put(slow, { a: "1" });
  await root.put(slow, { b: "1" });
  await held;
  await fast.refresh();
  for (let i = 0; i < 4; i += 1) await root.putUntilSnapshot(fast, `c/${i}`);
  await turns();
  const before = [
    await root.keys(CHUNKS_PREFIX),
    await root.keys(LOG_PREFIX),
    await root.keys(SNAPSHOTS_PREFIX),
  ];
  gate.release();
  await turns();
  assert.equal(root.count("lost_snapshots"), 1);
  assert.deepEqual(
    [
      await root.keys(CHUNKS_PREFIX),
      await root.keys(LOG_PREFIX),
      await root.keys(SNAPSHOTS_PREFIX),
    ],
    before,
  );
  root.history.checkImage(await root.open(NEVER));
});

test("a collector that slept removes nothing that later snapshots use", async () => {
  const root = new SharedRoot();
  const gate = new Gate();
  const slow = await root.open(TINY, gate.around);
  const fast = await root.open(TINY);
  const filler = Object.fromEntries(
    Array.from({ length: 500 }, (_, i) => [`filler/${i}`, String(i)]),
  );
  await root.put(slow, filler);
  const held = gate.hold((request) => request.method === "list" || request.method === "delete");
  await root.put(slow, { b: "1" });
  await held;
  await fast.refresh();
  for (let i = 0; i < 3; i += 1) await root.putUntilSnapshot(fast, "zz");
  assert(root.count("reused_chunks") > 0);
  gate.release();
  await turns();
  root.history.checkImage(await root.open(NEVER));
  assert.deepEqual(await root.keys(CHUNKS_PREFIX), await referenced(root));
});

test("an opener whose snapshot is replaced underneath it starts over with the newer one", async () => {
  const root = new SharedRoot();
  const writer = await root.open(TINY);
  await root.putUntilSnapshot(writer, "a");
  const gate = new Gate();
  const held = gate.hold(
    (request) => request.method === "get" && request.key.startsWith(CHUNKS_PREFIX),
  );
  const opening = root.open(NEVER, gate.around);
  await held;
  await root.putUntilSnapshot(writer, "a");
  await turns();
  gate.release();
  const opened = await opening;
  assert.equal(opened.revision, root.history.revision);
  root.history.checkImage(opened);
});

test("a running instance follows through any number of snapshots, whole or by entries", async () => {
  const root = new SharedRoot();
  const writer = await root.open(TINY);
  const reader = await root.open(NEVER);
  for (let i = 0; i < 10; i += 1) {
    const loaded = root.count("loaded_snapshots");
    await root.putUntilSnapshot(writer, `k/${i}`);
    await turns();
    await reader.refresh();
    root.history.checkImage(reader);
    assert.equal(root.count("loaded_snapshots"), loaded + 1, "its entries are gone");
    await root.put(writer, { more: "1" });
    await reader.refresh();
    assert.equal(root.count("loaded_snapshots"), loaded + 1);
  }
});

/** Keys of what the newest manifest names. */
async function referenced(root: SharedRoot): Promise<readonly string[]> {
  const ordinal = (await root.keys(SNAPSHOTS_PREFIX)).length;
  return [
    ...chunkKeys(decodeManifest(await root.store.get(manifestKey(ordinal)), ordinal)),
  ].toSorted();
}
