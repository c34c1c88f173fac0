import assert from "node:assert/strict";
import type { Catalogue, CatalogueChange, Revision } from "../catalogue.ts";
import { type CatalogueCase, revisionOf, textAt } from "./world.ts";

export const reads: readonly CatalogueCase[] = [
  {
    name: "refresh sees every commit that was acknowledged before it",
    async run(world) {
      const [a, b] = [await world.open(), await world.open()];
      for (let i = 0; i < 20; i += 1) {
        const [writer, reader] = i % 2 === 0 ? [a, b] : [b, a];
        const racing = reader.refresh();
        const revision = revisionOf(await world.put(writer, { n: String(i) }));
        const seen = await Promise.all([reader.refresh(), reader.refresh()]);
        assert(seen.every((at) => at >= revision));
        assert.equal(textAt(reader, "n"), String(i));
        assert((await racing) <= reader.revision);
      }
    },
  },
  {
    name: "an instance opened later has every row with its revision",
    async run(world) {
      const a = await world.open();
      for (let i = 0; i < 30; i += 1)
        revisionOf(await world.put(a, { [`k/${i % 7}`]: String(i), [`d/${i}`]: "" }));
      revisionOf(
        await a.commit(
          world.transaction({ delete: Array.from({ length: 20 }, (_, i) => `d/${i}`) }),
        ),
      );
      const b = await world.open();
      assert.equal(b.revision, a.revision);
      assert.deepEqual([...b.scan("")], [...a.scan("")]);
    },
  },
  {
    name: "scan gives the rows of a prefix in key order",
    async run(world) {
      const catalogue = await world.open();
      const keys = ["p", "p/", "p/10", "p/2", "p/20", "p0", "o/1", "q"];
      revisionOf(await world.put(catalogue, Object.fromEntries(keys.map((key) => [key, key]))));
      const found = (prefix: string): readonly string[] =>
        [...catalogue.scan(prefix)].map((row) => row.key);
      assert.deepEqual(found("p/"), ["p/", "p/10", "p/2", "p/20"]);
      assert.deepEqual(found("p/2"), ["p/2", "p/20"]);
      assert.deepEqual(found("p/3"), []);
      assert.deepEqual(found("zz"), []);
      assert.deepEqual(
        found("").filter((key) => keys.includes(key)),
        keys.toSorted(),
      );
    },
  },
  {
    name: "a scan shows the image at the time of its call, twice if it is iterated twice",
    async run(world) {
      const catalogue = await world.open();
      revisionOf(await world.put(catalogue, { "s/1": "a", "s/2": "a", "s/3": "a" }));
      const scan = catalogue.scan("s/");
      const iterator = scan[Symbol.iterator]();
      assert.equal(iterator.next().value?.key, "s/1");
      revisionOf(
        await catalogue.commit(
          world.transaction({ put: { "s/2": "b", "s/25": "b" }, delete: ["s/3"] }),
        ),
      );
      assert.deepEqual([iterator.next().value?.key, iterator.next().value?.key], ["s/2", "s/3"]);
      assert.equal([...scan].length, 3);
      assert.equal([...catalogue.scan("s/")].map((row) => row.key).join(), "s/1,s/2,s/25");
    },
  },
  {
    name: "watch tells every revision in order, with what it changed",
    async run(world) {
      const [a, b] = [await world.open(), await world.open()];
      const from = a.revision;
      const stop = new AbortController();
      const watching = collect(b, from, stop.signal);
      revisionOf(await world.put(a, { x: "1", y: "1" }));
      revisionOf(await a.commit(world.transaction({ put: { x: "2" }, delete: ["y"] })));
      await b.refresh();
      revisionOf(await world.put(b, { z: "1" }));
      await turns();
      stop.abort();
      const expected = [
        { put: ["x", "y"], deleted: [] },
        { put: ["x"], deleted: ["y"] },
        { put: ["z"], deleted: [] },
      ].map((change, i) => ({ tag: "change", revision: (from + 1 + i) as Revision, ...change }));
      assert.deepEqual(await watching, expected);
    },
  },
  {
    name: "watch is gapless for whoever begins late, or says reset",
    async run(world) {
      const a = await world.open();
      const from = a.revision;
      for (let i = 0; i < 40; i += 1) revisionOf(await world.put(a, { n: String(i) }));
      for (const start of [
        from,
        (from + 10) as Revision,
        (a.revision - 1) as Revision,
        a.revision,
      ]) {
        const stop = new AbortController();
        const watching = collect(a, start, stop.signal);
        revisionOf(await world.put(a, { n: "again" }));
        await turns();
        stop.abort();
        checkGapless(start, a.revision, await watching);
      }
      const late = await world.open();
      const stop = new AbortController();
      const watching = collect(late, from, stop.signal);
      await turns();
      stop.abort();
      checkGapless(from, late.revision, await watching);
    },
  },
  {
    name: "a watch ends quietly when its signal aborts or its catalogue closes",
    async run(world) {
      const catalogue = await world.open();
      const stop = new AbortController();
      const watching = [
        collect(catalogue, catalogue.revision, stop.signal),
        collect(catalogue, catalogue.revision, new AbortController().signal),
      ];
      await turns();
      stop.abort();
      assert.deepEqual(await watching[0], []);
      assert.deepEqual(await collect(catalogue, 0 as Revision, AbortSignal.abort()), []);
      await catalogue.close();
      assert.deepEqual(await watching[1], []);
    },
  },
  {
    name: "a closed catalogue refuses everything that would need its store",
    async run(world) {
      const catalogue = await world.open();
      await catalogue.close();
      await catalogue.close();
      await assert.rejects(catalogue.refresh(), { kind: "closed", code: "CATALOGUE_CLOSED" });
      await assert.rejects(world.put(catalogue, { a: "1" }), {
        kind: "closed",
        code: "CATALOGUE_CLOSED",
      });
    },
  },
];

async function collect(
  catalogue: Catalogue,
  from: Revision,
  signal: AbortSignal,
): Promise<readonly CatalogueChange[]> {
  const changes: CatalogueChange[] = [];
  for await (const change of catalogue.watch(from, signal)) changes.push(change);
  return changes;
}

/** Enough turns for whoever waits for a change to have got it. */
async function turns(): Promise<void> {
  for (let i = 0; i < 100; i += 1) await Promise.resolve();
}

function checkGapless(from: Revision, to: Revision, changes: readonly CatalogueChange[]): void {
  let at: number = from;
  for (const change of changes) {
    if (change.tag === "reset") assert(change.revision > at);
    else assert.equal(change.revision, at + 1);
    at = change.revision;
  }
  assert.equal(at, to);
}
