import assert from "node:assert/strict";
import { readdirSync, rmSync } from "node:fs";
import { test } from "vitest";
import { createTopics, readByKcat, readEmbedded } from "../dist/index.js";
import { inWorld, kcatIsMissing, rowsOf } from "./world.ts";

test.skipIf(kcatIsMissing)(
  "after SIGTERM everything is in objects, and the next start needs nothing of the WAL",
  () =>
    inWorld(async (world) => {
      const first = await world.serve();
      await createTopics(first.address, ["t"], 2);
      const ledger = await world.ledger(first);
      for (let id = 0; id < 400; id += 100)
        await ledger.append("t", rowsOf(id, 100), (id / 100) % 2);
      await first.stop();
      assert.deepEqual(
        readdirSync(world.wal).filter((name) => name.includes("segment")),
        [],
      );
      rmSync(world.wal, { recursive: true });

      const second = await world.serve();
      ledger.assertKept("t", await readByKcat(second.address, "t"));
      await ledger.connect(second.address);
      assert.equal(await ledger.append("t", rowsOf(400, 10), 0), 200);
      await second.stop();
      assert.deepEqual(await readEmbedded(`file:${world.data}`, "t"), {
        tag: "read",
        records: 410,
      });

      const third = await world.serve();
      await ledger.connect(third.address);
      assert.equal(await ledger.append("t", rowsOf(410, 10), 0), 210);
      const read = await readByKcat(third.address, "t");
      ledger.assertKept("t", read);
      assert.equal(read.length, 420);
      await third.stop();
      const opened = [first, second, third].map(({ events }) =>
        events.find(({ name }) => name === "engine-opened"),
      );
      for (const event of opened) assert.equal(event?.fields.get("recoveredFrames"), "0");
    }),
);

test.skipIf(kcatIsMissing)("what is acknowledged while SIGTERM comes in is kept", () =>
  inWorld(async (world) => {
    const server = await world.serve();
    await createTopics(server.address, ["t"], 1);
    const ledger = await world.ledger(server);
    await ledger.append("t", rowsOf(0, 100));
    let stopping: Promise<void> | undefined;
    // In flight all the time, until the broker is gone.
    const lanes = Array.from({ length: 4 }, async (_, lane) => {
      for (let batch = 0; ; batch += 1) {
        await ledger.append("t", rowsOf(100 + (batch * 4 + lane) * 10, 10));
        if (batch === 20) stopping ??= server.stop();
      }
    });
    const outcomes = await Promise.allSettled(lanes);
    assert.ok(outcomes.every(({ status }) => status === "rejected"));
    await stopping;
    const next = await world.serve();
    const read = await readByKcat(next.address, "t");
    ledger.assertKept("t", read);
    assert.ok(read.length >= 900, String(read.length));
  }),
);
