import assert from "node:assert/strict";
import type { Revision } from "@karst/core";
import { objectStoreError } from "@karst/objectstore";
import { test } from "vitest";
import { Gate, SharedRoot, textOf, turns } from "./support/shared-root.ts";

const NEVER = { snapshotEntriesMin: 1_000_000 };

test("a commit is one PUT and one look for snapshots; a refresh two reads; idle, nothing", async () => {
  const root = new SharedRoot();
  const catalogue = await root.open(NEVER);
  root.requests.length = 0;
  await root.put(catalogue, { a: "1" });
  assert.deepEqual(
    root.requests.splice(0).map((request) => request.method),
    ["putIfAbsent", "head"],
  );
  await catalogue.refresh();
  assert.deepEqual(
    root.requests.splice(0).map((request) => request.method),
    ["get", "head"],
  );
  const stop = new AbortController();
  const watching = catalogue.watch(catalogue.revision, stop.signal)[Symbol.asyncIterator]().next();
  await root.runtime.clock.advance(3_600_000);
  assert.deepEqual(root.requests, []);
  assert.equal(root.runtime.clock.pendingTimers, 0);
  stop.abort();
  assert.deepEqual(await watching, { done: true, value: undefined });
});

test("commits of one turn, and those that come while an entry is on its way, share entries", async () => {
  const root = new SharedRoot();
  const gate = new Gate();
  const catalogue = await root.open(NEVER, gate.around);
  const held = gate.hold((request) => request.method === "putIfAbsent");
  const first = Array.from({ length: 10 }, (_, i) => root.put(catalogue, { [`a/${i}`]: "1" }));
  await held;
  const second = Array.from({ length: 10 }, (_, i) => root.put(catalogue, { [`b/${i}`]: "1" }));
  gate.release();
  assert.deepEqual(new Set(await Promise.all(first)), new Set([2]));
  assert.deepEqual(new Set(await Promise.all(second)), new Set([3]));
});

test("a commit that excludes another of the same turn is decided after it", async () => {
  const root = new SharedRoot();
  const catalogue = await root.open(NEVER);
  const absent = [{ key: "k", revision: "absent" as const }];
  const [a, b, c] = await Promise.all([
    catalogue.commit(root.transaction({ k: "a" }, absent)),
    catalogue.commit(root.transaction({ k: "b" }, absent)),
    catalogue.commit(root.transaction({ other: "c" })),
  ]);
  assert.deepEqual(
    [a, b, c],
    [
      { tag: "ok", revision: 2 },
      { tag: "conflict", key: "k" },
      { tag: "ok", revision: 2 },
    ],
  );
});

test("limits: a transaction too large is refused; a full queue refuses before it keeps anything", async () => {
  const root = new SharedRoot();
  const gate = new Gate();
  const limits = {
    ...NEVER,
    transactionBytesMax: 1_000,
    queuedTransactionsMax: 3,
    entryTransactionsMax: 2,
  };
  const catalogue = await root.open(limits, gate.around);
  await assert.rejects(catalogue.commit(root.transaction({ big: "x".repeat(1_000) })), {
    kind: "invalid",
    code: "TRANSACTION_TOO_LARGE",
  });
  const held = gate.hold((request) => request.method === "putIfAbsent");
  const waiting = [1, 2, 3].map((i) => root.put(catalogue, { [`k/${i}`]: "1" }));
  await held;
  await assert.rejects(catalogue.commit(root.transaction({ a: "1" })), {
    kind: "unavailable",
    code: "CATALOGUE_BUSY",
  });
  gate.release();
  assert.deepEqual(await Promise.all(waiting), [2, 2, 3]);
  await root.put(catalogue, { a: "1" });

  const narrow = await root.open({ ...NEVER, queuedBytesMax: 100 });
  const results = await Promise.allSettled(
    [1, 2, 3].map(() => narrow.commit(root.transaction({ v: "x".repeat(60) }))),
  );
  assert.deepEqual(
    results.map((result) => result.status),
    ["fulfilled", "rejected", "rejected"],
  );
});

test("a commit that loses its slot again and again gives up, and has not happened", async () => {
  const root = new SharedRoot();
  const winner = await root.open(NEVER);
  const loser = await root.open({ ...NEVER, attemptsMax: 3 }, async (request, pass) => {
    if (request.method === "putIfAbsent") await root.put(winner, { w: "1" });
    return pass();
  });
  const transaction = root.transaction({ l: "1" });
  await assert.rejects(loser.commit(transaction), { kind: "unavailable", code: "CATALOGUE_BUSY" });
  assert.equal(root.history.revisionOf(transaction.id), undefined);
  assert.equal(root.count("lost_slots"), 3);
});

test("closing settles what is on its way and refuses what waits", async () => {
  const root = new SharedRoot();
  const gate = new Gate();
  const catalogue = await root.open({ ...NEVER, entryTransactionsMax: 1 }, gate.around);
  const held = gate.hold((request) => request.method === "putIfAbsent");
  const [first, second] = [root.put(catalogue, { a: "1" }), root.put(catalogue, { b: "1" })];
  const refresh = catalogue.refresh();
  const rejections = Promise.allSettled([second, refresh]);
  await Promise.race([held, turns()]);
  const closing = catalogue.close();
  gate.release();
  await closing;
  const [waited, refreshed] = await rejections;
  assert.equal(waited?.status, "rejected");
  assert(refreshed?.status === "rejected" || refreshed?.status === "fulfilled");
  const outcome = await first.then(
    () => "ok",
    () => "refused",
  );
  const other = await root.open(NEVER);
  assert.equal(textOf(other, "a"), outcome === "ok" ? "1" : undefined);
  assert.equal(other.get("b"), undefined);
});

test("closing ends a snapshot that is being built, at any point", async () => {
  const root = new SharedRoot();
  const gate = new Gate();
  const limits = {
    snapshotEntriesMin: 3,
    snapshotEntriesMax: 3,
    snapshotEveryEntries: 1,
    chunkBytes: 64,
  };
  const catalogue = await root.open(limits, gate.around);
  await root.put(
    catalogue,
    Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`row/${i}`, String(i)])),
  );
  const held = gate.hold(
    (request) => request.method === "putIfAbsent" && request.key.includes("/chunks/"),
  );
  await root.put(catalogue, { a: "1" });
  await held;
  const closing = catalogue.close();
  gate.release();
  await closing;
  assert.equal(root.count("written_snapshots"), 0);
  root.history.checkImage(await root.open(NEVER));
});

test("a snapshot is built in slices, and commits go on meanwhile", async () => {
  const root = new SharedRoot();
  let deferred = 0;
  const { clock } = root.runtime;
  const defer = clock.defer.bind(clock);
  clock.defer = (fn) => {
    deferred += 1;
    defer(fn);
  };
  const limits = {
    snapshotEntriesMin: 3,
    snapshotEntriesMax: 3,
    snapshotEveryEntries: 1,
    sliceRows: 100,
  };
  const catalogue = await root.open(limits);
  const rows = Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`row/${i}`, String(i)]));
  await root.put(catalogue, rows);
  await root.put(catalogue, { a: "1" });
  assert.equal(root.count("written_snapshots"), 0);
  await root.put(catalogue, { a: "2" });
  await turns(60);
  assert(deferred >= 20, `${deferred} pauses`);
  assert.equal(root.count("written_snapshots"), 1);
  root.history.checkImage(await root.open(NEVER));
});

test("a snapshot that fails is only logged, and a later one comes", async () => {
  const root = new SharedRoot();
  let failing = true;
  const limits = {
    snapshotEntriesMin: 2,
    snapshotEntriesMax: 2,
    snapshotEveryEntries: 2,
    putAttemptsMax: 1,
  };
  const catalogue = await root.open(limits, async (request, pass) => {
    if (failing && request.key.includes("/chunks/")) throw objectStoreError("UNAVAILABLE", "down");
    return pass();
  });
  for (let i = 0; i < 4; i += 1) await root.put(catalogue, { a: String(i) });
  await turns();
  assert.equal(root.count("written_snapshots"), 0);
  assert(root.runtime.log.of("catalogue-snapshot-failed").length >= 1);
  failing = false;
  await root.putUntilSnapshot(catalogue, "a");
});

test("a log is snapshotted when it outgrows half the last snapshot, and only changed chunks are written", async () => {
  const root = new SharedRoot();
  const limits = {
    snapshotEntriesMin: 4,
    snapshotEntriesMax: 1_000,
    snapshotEveryEntries: 1,
    chunkBytes: 2_048,
  };
  const catalogue = await root.open(limits);
  const rows = Object.fromEntries(
    Array.from({ length: 3_000 }, (_, i) => [`row/${String(i).padStart(6, "0")}`, "0123456789"]),
  );
  await root.put(catalogue, rows);
  await root.putUntilSnapshot(catalogue, "a");
  await turns();
  const written = root.count("written_chunks");
  assert(written > 20);
  // The snapshot has some 50 kB: entries of 1 kB each do not outgrow half of it before the 20th.
  let entries = 0;
  for (; root.count("written_snapshots") === 1; entries += 1) {
    await root.put(catalogue, { "row/001500": "x".repeat(1_000) });
    await turns(3);
  }
  assert(entries > 10 && entries < 100, `${entries} entries`);
  await turns();
  assert(root.count("reused_chunks") > written - 8);
  assert(root.count("written_chunks") - written <= 8);
  root.history.checkImage(await root.open(NEVER));
});

test("a watch that is too far behind starts over with reset", async () => {
  const root = new SharedRoot();
  const catalogue = await root.open({ ...NEVER, watchHistoryMax: 3 });
  for (let i = 0; i < 20; i += 1) await root.put(catalogue, { a: String(i) });
  const watch = catalogue
    .watch(1 as Revision, new AbortController().signal)
    [Symbol.asyncIterator]();
  assert.deepEqual((await watch.next()).value, { tag: "reset", revision: 21 });
  await root.put(catalogue, { b: "1" });
  assert.deepEqual((await watch.next()).value, {
    tag: "change",
    revision: 22,
    put: ["b"],
    deleted: [],
  });
  await catalogue.close();
});

test("after an unknown outcome the log is read before anything is written", async () => {
  const root = new SharedRoot();
  let blind = false;
  const catalogue = await root.open({ ...NEVER, putAttemptsMax: 1 }, async (request, pass) => {
    if (blind && request.method === "putIfAbsent") {
      await pass();
      throw objectStoreError("UNKNOWN_OUTCOME", "the answer was lost");
    }
    if (blind) throw objectStoreError("UNAVAILABLE", "down");
    return pass();
  });
  blind = true;
  assert.equal((await catalogue.commit(root.transaction({ a: "1" }))).tag, "unknown");
  blind = false;
  root.requests.length = 0;
  assert.equal(await root.put(catalogue, { b: "1" }), 3);
  assert.deepEqual(
    root.requests.map((request) => request.method),
    ["get", "get", "get", "head", "putIfAbsent", "head"],
  );
  assert.equal(textOf(catalogue, "a"), "1");
});
