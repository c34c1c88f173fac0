import assert from "node:assert/strict";
import { test } from "vitest";
import { createTopics, readByKcat, SessionReader } from "../dist/index.js";
import { inWorld, kcatIsMissing, rowsOf } from "./world.ts";

const PARTITIONS = 20;

test.skipIf(kcatIsMissing)(
  "@platformatic/kafka reads through a fetch session what kcat reads without one, also after SIGKILL",
  () =>
    inWorld(async (world) => {
      const server = await world.serve();
      await createTopics(server.address, ["t"], PARTITIONS);
      const ledger = await world.ledger(server);
      const reader = new SessionReader("t");
      await reader.connect(server.address);
      await reader.poll();
      const append = async (from: number, count: number): Promise<void> => {
        for (let id = from; id < from + count; id += 10) {
          await ledger.append("t", rowsOf(id, 10), (id / 10) % 3);
          await reader.readUntil(id + 10);
        }
      };
      await append(0, 300);
      await reader.close();
      await server.kill();
      await server.start();

      // The reader goes on with a session of which this broker knows nothing.
      await ledger.connect(server.address);
      await reader.connect(server.address);
      await append(300, 300);
      assert.equal(reader.lostSessions, 1);
      ledger.assertKept("t", reader.rows);
      const read = await readByKcat(server.address, "t");
      ledger.assertKept("t", read);
      const byPlace = (rows: typeof read): unknown =>
        [...rows].sort((a, b) => a.partition - b.partition || a.offset - b.offset);
      assert.deepEqual(byPlace(reader.rows), byPlace(read));
      // Three partitions of twenty have news, one at a time.
      const { answers, partitions } = reader.incremental;
      assert.ok(answers >= 50, `${answers} answers`);
      assert.ok(partitions <= answers, `${partitions} partitions in ${answers} answers`);
      await reader.close();
      await server.stop();
    }),
);
