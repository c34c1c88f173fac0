import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import { CallFault, canInject, createTopics, readByKcat } from "../dist/index.js";
import { inWorld, kcatIsMissing, rowsOf, type World } from "./world.ts";

const cannotTry = kcatIsMissing || !(await canInject());

/** The WAL's file that a broker which has just started writes to. */
function segmentOf(world: World): string {
  const name = readdirSync(world.wal).find((each) => /^segment-\d+-0+$/.test(each));
  assert.ok(name !== undefined, "no first segment");
  return join(world.wal, name);
}

for (const [call, fault, reason] of [
  ["fdatasync", "error=EIO", "EIO"],
  ["pwrite64", "error=EIO", "EIO"],
  ["pwrite64", "retval=0", "the system took no bytes"],
] as const) {
  test.skipIf(cannotTry)(
    `after ${call} of the WAL with ${fault} nothing is acknowledged, and the process ends`,
    () =>
      inWorld(async (world) => {
        const server = await world.serve();
        await createTopics(server.address, ["t"], 1);
        const ledger = await world.ledger(server);
        for (let id = 0; id < 300; id += 100) await ledger.append("t", rowsOf(id, 100));
        const path = segmentOf(world);
        const injected = await CallFault.inject({ pid: server.pid, call, fault, path });
        const answers = await Promise.allSettled(
          [300, 400, 500].map((id) => ledger.append("t", rowsOf(id, 100))),
        );
        assert.ok(
          answers.every(({ status }) => status === "rejected"),
          JSON.stringify(answers),
        );
        assert.equal(await server.ended(), 1);
        assert.ok(injected.count > 0);
        await injected.lift();
        assert.match(
          server.complaints.join("\n"),
          new RegExp(
            `The engine has failed: the WAL has failed: [^:]*segment.*${reason}.* Start again: what was acknowledged is recovered\\.`,
          ),
        );
        const restarted = await world.serve();
        const read = await readByKcat(restarted.address, "t");
        ledger.assertKept("t", read);
        assert.equal(ledger.acknowledged.length, 300);
        // What was in flight may be there: it was not acknowledged, and not refused as never taken either.
        assert.ok(read.length <= 600, String(read.length));
        await ledger.connect(restarted.address);
        assert.equal(await ledger.append("t", rowsOf(600, 1)), read.length);
      }),
  );
}

test.skipIf(cannotTry)("a write that takes only a part is continued where it stopped", () =>
  inWorld(async (world) => {
    const server = await world.serve();
    await createTopics(server.address, ["t"], 1);
    const ledger = await world.ledger(server);
    const path = segmentOf(world);
    await ledger.append("t", rowsOf(0, 100));
    // The call says that it wrote so many bytes, and wrote none: those are missing in the file.
    const fault = await CallFault.inject({
      pid: server.pid,
      call: "pwrite64",
      fault: `retval=${MAGIC.length}:when=1`,
      path,
    });
    await ledger.append("t", rowsOf(100, 100));
    assert.equal(fault.count, 1);
    await fault.lift();
    await ledger.append("t", rowsOf(200, 100));
    await server.kill();
    assert.equal(restoreMagic(path), 1);
    const restarted = await world.serve();
    const read = await readByKcat(restarted.address, "t");
    ledger.assertKept("t", read);
    assert.equal(read.length, 300);
  }),
);

/** What a group of the WAL begins with. */
const MAGIC = "KWGR";
const SEGMENT_HEADER_BYTES = 512;
const GROUP_LENGTH_AT = 8;

/** Puts the first bytes of groups back where they are missing. @returns how many were. */
function restoreMagic(path: string): number {
  const bytes = readFileSync(path);
  let restored = 0;
  for (let at = SEGMENT_HEADER_BYTES; ; at += bytes.readUInt32BE(at + GROUP_LENGTH_AT)) {
    const length = bytes.readUInt32BE(at + GROUP_LENGTH_AT);
    if (length === 0) break;
    if (bytes.toString("latin1", at, at + MAGIC.length) === MAGIC) continue;
    assert.equal(bytes.readUInt32BE(at), 0, `neither a group nor the rest of one at ${at}`);
    bytes.write(MAGIC, at, "latin1");
    restored += 1;
  }
  writeFileSync(path, bytes);
  return restored;
}
