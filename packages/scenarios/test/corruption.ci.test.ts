import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "vitest";
import { createTopics, readByKcat, readEmbedded, refusedServe, treeOf } from "../dist/index.js";
import { inWorld, kcatIsMissing, rowsOf } from "./world.ts";

/** What claiming the WAL leaves of itself; the log is looked at after that. */
const CLAIM = /^wal\/(fence-\d+|lock)$/;

/** Changes one bit of a file. */
function flip(path: string, position: number): void {
  const bytes = readFileSync(path);
  assert.ok(position >= 0 && position < bytes.length, `${path} has no byte ${position}`);
  bytes.writeUInt8(bytes.readUInt8(position) ^ 0b100, position);
  writeFileSync(path, bytes);
}

/** The file below a directory that holds a text, and where. */
function find(directory: string, text: string): { readonly path: string; readonly at: number } {
  for (const name of Object.keys(treeOf(directory))) {
    const path = join(directory, name);
    const at = readFileSync(path).indexOf(text);
    if (at >= 0) return { path, at };
  }
  return assert.fail(`no file holds ${text}`);
}

test.skipIf(kcatIsMissing)(
  "a WAL with a flipped bit below its watermark is refused with file and position, and a copy of it taken",
  () =>
    inWorld(async (world) => {
      const server = await world.serve();
      await createTopics(server.address, ["t"], 1);
      const ledger = await world.ledger(server);
      for (let id = 0; id < 100; id += 1) await ledger.append("t", rowsOf(id, 1));
      await server.kill();
      const copy = join(world.directory, "copy");
      cpSync(world.data, copy, { recursive: true });

      const { path, at } = find(world.wal, rowsOf(40, 1)[0]?.value ?? "");
      flip(path, at + 5);
      const before = treeOf(world.data, CLAIM);
      for (let attempt = 0; attempt < 2; attempt += 1) {
        const { code, said } = await refusedServe(["--data", world.data]);
        assert.equal(code, 1);
        assert.match(
          said,
          /^karst: \S+: segment-\S+ has no valid group at position \d+, below the watermark.*\. Nothing was changed\. Restore the directory from a copy \(WAL_CORRUPT\)$/,
        );
        assert.ok(said.includes(`${world.wal}: ${basename(path)} `), said);
        const position = Number(/at position (\d+)/.exec(said)?.[1]);
        assert.ok(position < at && at - position < 1_000, `flipped at ${at + 5}, said ${position}`);
        assert.deepEqual(treeOf(world.data, CLAIM), before);
      }
      assert.equal((await readEmbedded(`file:${world.data}`, "t")).tag, "failed");
      assert.deepEqual(treeOf(world.data, CLAIM), before);

      // As the sentence says, though the refused starts came after the copy was made.
      rmSync(world.wal, { recursive: true });
      cpSync(join(copy, "wal"), world.wal, { recursive: true });
      const restored = await world.serve();
      const read = await readByKcat(restored.address, "t");
      ledger.assertKept("t", read);
      assert.equal(read.length, 100);
    }),
);

test.skipIf(kcatIsMissing)(
  "a flipped bit in an object fails the reads of its range, and nothing else",
  () =>
    inWorld(async (world) => {
      const server = await world.serve();
      await createTopics(server.address, ["damaged", "whole"], 1);
      const ledger = await world.ledger(server);
      for (let id = 0; id < 300; id += 100) {
        await ledger.append("damaged", rowsOf(id, 100));
        await ledger.append("whole", rowsOf(1_000 + id, 100));
      }
      await server.stop();
      const { path, at } = find(
        join(world.data, "objects", "objects"),
        rowsOf(150, 1)[0]?.value ?? "",
      );
      flip(path, at + 5);
      const damaged = readFileSync(path);

      const second = await world.serve();
      await assert.rejects(readByKcat(second.address, "damaged"), /Fetch from broker 1 failed/);
      const told = second.complaints.find((line) => line.includes("fetch-failed")) ?? "";
      assert.ok(told.includes("ERROR") && told.includes(basename(path).slice(0, -1)), told);
      assert.equal((await readByKcat(second.address, "whole")).length, 300);
      await ledger.connect(second.address);
      assert.equal(await ledger.append("damaged", rowsOf(300, 10)), 300);
      assert.equal(await ledger.append("whole", rowsOf(1_300, 10)), 300);
      ledger.assertKept("whole", await readByKcat(second.address, "whole"));
      await second.stop();

      const reading = await readEmbedded(`file:${world.data}`, "damaged");
      assert.ok(reading.tag === "failed");
      assert.deepEqual([reading.kind, reading.code], ["corrupt", "OBJECT_CORRUPT"]);
      assert.match(
        reading.message,
        /^objects\/\w{32}\/\d+\/\d+ in file:.*, bytes \d+ to \d+: block: wrong length or CRC$/,
      );
      assert.deepEqual(await readEmbedded(`file:${world.data}`, "whole"), {
        tag: "read",
        records: 310,
      });
      assert.deepEqual(readFileSync(path), damaged);
    }),
);

test("a catalogue entry with a flipped bit is refused with its key, and nothing is changed", () =>
  inWorld(async (world) => {
    const server = await world.serve();
    await createTopics(server.address, ["t"], 1);
    const ledger = await world.ledger(server);
    await ledger.append("t", rowsOf(0, 10));
    await server.kill();
    const log = join(world.data, "objects", "catalogue", "log");
    for (const name of readdirSync(log).sort()) {
      const path = join(log, name);
      const whole = readFileSync(path);
      flip(path, Math.floor(whole.length / 2));
      const before = treeOf(world.data);
      const { code, said } = await refusedServe(["--data", world.data]);
      assert.equal(code, 1);
      assert.match(said, /^karst: .*\(CATALOGUE_CORRUPT\)$/);
      assert.ok(said.includes(`catalogue/log/${name.slice(0, -1)}`), said);
      assert.deepEqual(treeOf(world.data), before);
      writeFileSync(path, whole);
    }
    const restored = await world.serve();
    await ledger.connect(restored.address);
    assert.equal(await ledger.append("t", rowsOf(10, 10)), 10);
  }));
