import assert from "node:assert/strict";
import type { Revision } from "../catalogue.ts";
import { type CatalogueCase, conflict, revisionOf, textAt } from "./world.ts";

export const commits: readonly CatalogueCase[] = [
  {
    name: "all instances of a root have its one id and its root row",
    async run(world) {
      const [a, b] = [await world.open(), await world.open()];
      assert.match(a.rootId, /^[0-9a-f]{32}$/);
      assert.equal(b.rootId, a.rootId);
      assert.equal(b.get("root")?.revision, a.get("root")?.revision);
    },
  },
  {
    name: "a committed row is in the image at once, with the commit's revision",
    async run(world) {
      const catalogue = await world.open();
      const before = catalogue.revision;
      const revision = revisionOf(await world.put(catalogue, { "a/1": "one", "a/2": "two" }));
      assert(revision > before);
      assert.equal(catalogue.revision, revision);
      assert.equal(textAt(catalogue, "a/1"), "one");
      assert.equal(catalogue.get("a/2")?.revision, revision);
      assert.equal(catalogue.get("a"), undefined);
    },
  },
  {
    name: "a requirement that fails leaves everything as it was, and is named",
    async run(world) {
      const catalogue = await world.open();
      const revision = revisionOf(await world.put(catalogue, { there: "old", other: "old" }));
      for (const require of [
        { there: "absent" as const },
        { there: revision + 1 },
        { missing: revision },
      ]) {
        const [key] = Object.keys(require) as [string];
        const transaction = world.transaction({
          require: { other: revision, ...require },
          put: { new: "x" },
          delete: ["other"],
        });
        assert.deepEqual(await catalogue.commit(transaction), conflict(key));
      }
      assert.equal(textAt(catalogue, "there"), "old");
      assert.equal(textAt(catalogue, "other"), "old");
      assert.equal(catalogue.get("new"), undefined);
    },
  },
  {
    name: "requirements that hold let puts and deletes happen together",
    async run(world) {
      const catalogue = await world.open();
      const first = revisionOf(await world.put(catalogue, { a: "1", b: "1" }));
      const transaction = world.transaction({
        require: { a: first, c: "absent" },
        put: { a: "2", c: "2" },
        delete: ["b", "none"],
      });
      const second = revisionOf(await catalogue.commit(transaction));
      assert.deepEqual(
        [...catalogue.scan("")].map((row) => row.key).filter((key) => key.length === 1),
        ["a", "c"],
      );
      assert.equal(catalogue.get("a")?.revision, second);
      assert.deepEqual(
        await catalogue.commit(world.transaction({ require: { a: first } })),
        conflict("a"),
      );
    },
  },
  {
    name: "requirements are checked against the end of the log, not against the image",
    async run(world) {
      const [a, b] = [await world.open(), await world.open()];
      const first = revisionOf(await world.put(a, { key: "of a" }));
      await b.refresh();
      revisionOf(await world.put(b, { key: "of b" }));
      assert.deepEqual(
        await a.commit(world.transaction({ require: { key: first }, put: { key: "late" } })),
        conflict("key"),
      );
      assert.equal(textAt(a, "key"), "of b");
      revisionOf(await b.commit(world.transaction({ delete: ["key"] })));
      // In the image of `a` the key is there still: only the end of the log makes this hold.
      revisionOf(
        await a.commit(world.transaction({ require: { key: "absent" }, put: { key: "again" } })),
      );
      await b.refresh();
      assert.equal(textAt(b, "key"), "again");
    },
  },
  {
    name: "of commits that exclude each other exactly one happens",
    async run(world) {
      const instances = [await world.open(), await world.open(), await world.open()];
      const tries = instances.flatMap((catalogue, i) =>
        ["x", "y"].map((part) =>
          catalogue.commit(
            world.transaction({ require: { one: "absent" }, put: { one: `${i}${part}` } }),
          ),
        ),
      );
      const outcomes = await Promise.all(tries);
      assert.equal(outcomes.filter((outcome) => outcome.tag === "ok").length, 1);
      assert.equal(
        outcomes.filter((outcome) => outcome.tag === "conflict").length,
        tries.length - 1,
      );
      for (const catalogue of instances) await catalogue.refresh();
      assert.equal(new Set(instances.map((catalogue) => textAt(catalogue, "one"))).size, 1);
    },
  },
  {
    name: "increments that race are serialised: none is lost, none counts twice",
    async run(world) {
      const instances = [await world.open(), await world.open(), await world.open()];
      revisionOf(await world.put(instances[0] as (typeof instances)[number], { count: "0" }));
      let done = 0;
      await Promise.all(
        instances.map(async (catalogue) => {
          await catalogue.refresh();
          for (let mine = 0; mine < 5;) {
            const row = catalogue.get("count");
            assert(row !== undefined);
            const next = String(Number(textAt(catalogue, "count")) + 1);
            const outcome = await catalogue.commit(
              world.transaction({ require: { count: row.revision }, put: { count: next } }),
            );
            if (outcome.tag === "ok") {
              mine += 1;
              done += 1;
            }
          }
        }),
      );
      for (const catalogue of instances) {
        await catalogue.refresh();
        assert.equal(textAt(catalogue, "count"), String(done));
      }
    },
  },
  {
    name: "commits of one turn happen in call order",
    async run(world) {
      const catalogue = await world.open();
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          world.put(catalogue, { last: String(i), [`n/${i}`]: "" }),
        ),
      );
      const revisions = outcomes.map((outcome) => revisionOf(outcome));
      assert.deepEqual(
        revisions,
        revisions.toSorted((a, b) => a - b),
      );
      assert.equal(textAt(catalogue, "last"), "49");
      assert.equal([...catalogue.scan("n/")].length, 50);
    },
  },
  {
    name: "a transaction committed again is applied once, also by another instance",
    async run(world) {
      const [a, b] = [await world.open(), await world.open()];
      const transaction = world.transaction({ require: { once: "absent" }, put: { once: "1" } });
      const outcome = await a.commit(transaction);
      const revision = revisionOf(outcome);
      revisionOf(await world.put(a, { once: "2" }));
      assert.deepEqual(await a.commit(transaction), outcome);
      assert.deepEqual(await b.commit(transaction), outcome);
      const [first, second] = await Promise.all(
        [transaction, transaction].map((same) => b.commit(same)),
      );
      assert.deepEqual([first, second], [outcome, outcome]);
      await a.refresh();
      assert.equal(textAt(a, "once"), "2");
      assert(revision < a.revision);
    },
  },
  {
    name: "what the caller does with its arrays after the call changes nothing",
    async run(world) {
      const catalogue = await world.open();
      const transaction = world.transaction({ put: { bytes: "kept" } });
      const committing = catalogue.commit(transaction);
      for (const row of transaction.put) row.value.fill(0);
      revisionOf(await committing);
      assert.equal(textAt(catalogue, "bytes"), "kept");
    },
  },
  {
    name: "values of any bytes and length come back as they went",
    async run(world) {
      const [a, b] = [await world.open(), await world.open()];
      const values = [0, 1, 127, 128, 5_000, 70_000].map((length) =>
        Uint8Array.from({ length }, (_, i) => (i * 31) % 256),
      );
      const put = values.map((value, i) => ({ key: `values/${i}`, value }));
      revisionOf(await a.commit({ ...world.transaction({}), put }));
      await b.refresh();
      for (const { key, value } of put)
        for (const catalogue of [a, b]) assert.deepEqual(catalogue.get(key)?.value, value);
    },
  },
  {
    name: "misuse is a TypeError, and nothing happens",
    async run(world) {
      const catalogue = await world.open();
      const { revision } = catalogue;
      const good = world.transaction({ put: { a: "1" } });
      const value = new Uint8Array(1);
      for (const bad of [
        { ...good, id: "" },
        { ...good, put: [{ key: "", value }] },
        { ...good, put: [{ key: "with space", value }] },
        { ...good, put: [{ key: "k".repeat(513), value }] },
        { ...good, delete: ["a"] },
        { ...good, put: [...good.put, ...good.put] },
        { ...good, require: [{ key: "a", revision: 0 as Revision }] },
      ]) {
        await assert.rejects(catalogue.commit(bad), TypeError);
      }
      await catalogue.refresh();
      assert.equal(catalogue.revision, revision);
    },
  },
];
