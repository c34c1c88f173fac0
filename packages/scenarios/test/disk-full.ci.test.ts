import assert from "node:assert/strict";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, test } from "vitest";
import {
  canMount,
  createTopics,
  errorNameOf,
  type Ledger,
  readByKcat,
  refusedServe,
  type Row,
  SmallDisk,
  treeOf,
} from "../dist/index.js";
import { inWorld, kcatIsMissing, rowsOf } from "./world.ts";

const KiB = 1024;
const LIMITS = [
  "--limit=firstSegmentBytes=262144",
  "--limit=segmentBytes=262144",
  "--limit=uploadBytes=524288",
];

let disk: SmallDisk;

const cannotFill = kcatIsMissing || !canMount();

beforeAll(() => {
  if (!cannotFill) disk = SmallDisk.mount(24);
});

afterAll(() => {
  if (!cannotFill) disk.unmount();
});

/** Takes all the space that is left. @returns what gives it back. */
function fill(): () => void {
  const path = join(disk.directory, "filler");
  const file = openSync(path, "w");
  for (let bytes = 256 * KiB; bytes > 0;) {
    try {
      writeSync(file, new Uint8Array(bytes));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
      bytes = Math.floor(bytes / 2);
    }
  }
  closeSync(file);
  return () => rmSync(path);
}

/** Batches of 100 rows, from some row on. */
function* batches(from: number): Generator<readonly Row[], never> {
  for (let id = from; ; id += 100) yield rowsOf(id, 100);
}

/** Appends until one is refused. @returns the error's name. */
async function appendUntilRefused(
  ledger: Ledger,
  topic: string,
  source: Generator<readonly Row[], never>,
): Promise<string> {
  for (;;) {
    try {
      await ledger.append(topic, source.next().value);
    } catch (error) {
      return errorNameOf(error);
    }
  }
}

/** What a client does with an error that it may try again on. */
async function appendPatiently(ledger: Ledger, topic: string, rows: readonly Row[]): Promise<void> {
  for (;;) {
    try {
      await ledger.append(topic, rows);
      return;
    } catch (error) {
      assert.equal(errorNameOf(error), "KAFKA_STORAGE_ERROR");
      await pause(50);
    }
  }
}

test.skipIf(cannotFill)(
  "on a full disk nothing is acknowledged that is not durable, reads go on, and appends recover when space returns",
  () =>
    inWorld(async (world) => {
      const data = join(disk.directory, "data");
      const args = ["--data", data, ...LIMITS];
      const server = await world.serve(args);
      await createTopics(server.address, ["t"], 1);
      const ledger = await world.ledger(server);
      const source = batches(0);
      for (let i = 0; i < 5; i += 1) await ledger.append("t", source.next().value);

      for (let time = 0; time < 2; time += 1) {
        const empty = fill();
        assert.equal(await appendUntilRefused(ledger, "t", source), "KAFKA_STORAGE_ERROR");
        const acknowledged = ledger.acknowledged.length;
        for (let again = 0; again < 5; again += 1) {
          await assert.rejects(ledger.append("t", rowsOf(0, 100)));
        }
        const read = await readByKcat(server.address, "t");
        assert.equal(read.length, acknowledged);
        ledger.assertKept("t", read);
        empty();
        for (let i = 0; i < 5; i += 1) await appendPatiently(ledger, "t", source.next().value);
      }
      assert.ok(server.events.some(({ name }) => name === "wal-segment-not-prepared"));
      assert.ok(server.events.some(({ name }) => name === "wal-space-back"));
      await server.kill();

      // A start needs some space, too.
      const empty = fill();
      const before = treeOf(data, /^wal\/(lock|fence-\d+)$/);
      const { code, said } = await refusedServe(args);
      assert.equal(code, 1);
      assert.match(said, /no space left/);
      assert.deepEqual(treeOf(data, /^wal\/(lock|fence-\d+)$/), before);
      empty();
      const restarted = await world.serve(args);
      const read = await readByKcat(restarted.address, "t");
      ledger.assertKept("t", read);
      assert.equal(read.length, ledger.acknowledged.length);
      await restarted.stop();
    }),
);
