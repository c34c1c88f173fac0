import assert from "node:assert/strict";
import { type CatalogueCase, conflict, revisionOf, textAt } from "./world.ts";

/** Cases of worlds that have faults. */
export const outcomes: readonly CatalogueCase[] = [
  {
    name: "a commit that was refused has not happened, and can be made again",
    async run(world) {
      const [a, b] = [await world.open(), await world.open()];
      const transaction = world.transaction({ require: { k: "absent" }, put: { k: "1" } });
      world.faults?.refuse();
      await assert.rejects(a.commit(transaction), { kind: "unavailable" });
      await assert.rejects(a.refresh(), { kind: "unavailable" });
      world.faults?.heal();
      await b.refresh();
      assert.equal(b.get("k"), undefined);
      revisionOf(await a.commit(transaction));
      assert.equal(textAt(a, "k"), "1");
    },
  },
  {
    name: "a lost answer is unknown, and found to have happened by the transaction's id",
    async run(world) {
      const [a, b] = [await world.open(), await world.open()];
      const transaction = world.transaction({ require: { k: "absent" }, put: { k: "1" } });
      world.faults?.loseAnswers();
      assert.equal((await a.commit(transaction)).tag, "unknown");
      world.faults?.heal();
      await b.refresh();
      assert.equal(textAt(b, "k"), "1");
      assert.equal(revisionOf(await a.commit(transaction)), b.get("k")?.revision);
      assert.equal(revisionOf(await b.commit(transaction)), b.get("k")?.revision);
      assert.deepEqual(
        await a.commit(world.transaction({ require: { k: "absent" } })),
        conflict("k"),
      );
    },
  },
  {
    name: "a lost request is unknown, and the transaction can be made again without happening twice",
    async run(world) {
      const [a, b] = [await world.open(), await world.open()];
      const transaction = world.transaction({ require: { k: "absent" }, put: { k: "1" } });
      world.faults?.loseRequests();
      assert.equal((await a.commit(transaction)).tag, "unknown");
      world.faults?.heal();
      await b.refresh();
      assert.equal(b.get("k"), undefined);
      const revision = revisionOf(await a.commit(transaction));
      assert.equal(revisionOf(await a.commit(transaction)), revision);
    },
  },
  {
    name: "after an unknown outcome other commits go on from what really happened",
    async run(world) {
      const a = await world.open();
      const first = revisionOf(await world.put(a, { k: "0" }));
      world.faults?.loseAnswers();
      const lost = a.commit(world.transaction({ require: { k: first }, put: { k: "1" } }));
      assert.equal((await lost).tag, "unknown");
      world.faults?.heal();
      assert.deepEqual(
        await a.commit(world.transaction({ require: { k: first }, put: { k: "2" } })),
        conflict("k"),
      );
      assert.equal(textAt(a, "k"), "1");
    },
  },
];
