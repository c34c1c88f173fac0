import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import { createTopics, errorNameOf, readByKcat, refusedServe, treeOf } from "../dist/index.js";
import { inWorld, kcatIsMissing, rowsOf } from "./world.ts";

const IN_USE =
  /is in use by another opening of this WAL \(pid=\d+ .*\)\. Close that one first, or choose another directory \(WAL_IN_USE\)$/;

test.skipIf(kcatIsMissing)("a second process is refused, and the first goes on", () =>
  inWorld(async (world) => {
    const first = await world.serve();
    await createTopics(first.address, ["t"], 1);
    const ledger = await world.ledger(first);
    await ledger.append("t", rowsOf(0, 100));
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const { code, said } = await refusedServe(["--data", world.data]);
      assert.equal(code, 1);
      assert.match(said, IN_USE);
      assert.ok(said.includes(world.wal) && said.includes(`pid=${first.pid} `), said);
    }
    // While the first does nothing, everything is as it was.
    first.freeze();
    const before = treeOf(world.data);
    assert.equal((await refusedServe(["--data", world.data])).code, 1);
    assert.deepEqual(treeOf(world.data), before);
    first.thaw();
    await ledger.append("t", rowsOf(100, 100));
    ledger.assertKept("t", await readByKcat(first.address, "t"));

    await first.kill();
    const restarted = await world.serve();
    const read = await readByKcat(restarted.address, "t");
    ledger.assertKept("t", read);
    assert.equal(read.length, 200);
  }),
);

test.skipIf(kcatIsMissing)(
  "a process that was stopped and overtaken acknowledges nothing more",
  () =>
    inWorld(async (world) => {
      const first = await world.serve();
      await createTopics(first.address, ["t"], 1);
      const ledger = await world.ledger(first);
      await ledger.append("t", rowsOf(0, 50));
      first.freeze();
      // Taken by the system for the process, which will find it when it goes on.
      const late = ledger.append("t", rowsOf(50, 50)).then(
        () => "acknowledged",
        (error: unknown) => errorNameOf(error),
      );
      const { code, said } = await refusedServe(["--data", world.data]);
      assert.equal(code, 1);
      assert.match(said, IN_USE);

      // As where the other process cannot be seen: on another machine, or in another container.
      rmSync(join(world.wal, "lock"));
      const second = await world.serve();
      const successor = await world.ledger(second);
      await successor.append("t", rowsOf(100, 50));
      first.thaw();
      assert.notEqual(await late, "acknowledged");
      assert.equal(await first.ended(), 1);
      assert.match(
        first.complaints.join("\n"),
        /The engine has failed: .*another process has claimed/,
      );
      // The loser took nothing of the winner's with it, the lock included.
      assert.match((await refusedServe(["--data", world.data])).said, IN_USE);
      await successor.append("t", rowsOf(150, 50));
      const read = await readByKcat(second.address, "t");
      ledger.assertKept("t", read);
      successor.assertKept("t", read);
      assert.equal(read.length, 150);

      await second.kill();
      const third = await world.serve();
      assert.deepEqual(await readByKcat(third.address, "t"), read);
    }),
);
