import assert from "node:assert/strict";
import { closeSync, existsSync, fdatasyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import { LoopDisk, whyNoLoopDisk } from "../src/real/loop-disk.ts";
import { ACKS_BEFORE_SYNC, powerCuts } from "../src/real/power-cuts.ts";

const seed = Number(process.env["KARST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const CUTS = 8;

const missing = whyNoLoopDisk();
if (missing !== undefined) console.log(`skipped: ${missing}`);

test.skipIf(missing !== undefined)(
  "a power cut takes what was not synced, and nothing else",
  async () => {
    const disk = LoopDisk.create();
    try {
      const path = (name: string): string => join(disk.directory, name);
      const write = (name: string, text: string, sync: boolean): void => {
        const file = openSync(path(name), existsSync(path(name)) ? "r+" : "w");
        writeSync(file, text, 0);
        if (sync) fdatasyncSync(file);
        closeSync(file);
      };
      write("kept", "before", true);
      disk.sync();
      write("overwritten", "before", true);
      disk.sync();
      write("overwritten", "after!", false);
      write("new", "after", false);
      await disk.cutPower();
      assert.equal(readFileSync(path("kept"), "utf8"), "before");
      assert.equal(readFileSync(path("overwritten"), "utf8"), "before");
      assert.ok(!existsSync(path("new")));
      write("overwritten", "synced", true);
      await disk.cutPower();
      assert.equal(readFileSync(path("overwritten"), "utf8"), "synced");
    } finally {
      disk.destroy();
    }
  },
);

test.skipIf(missing !== undefined)(
  `what was acknowledged before a power cut is there after it (seed ${seed})`,
  async () => {
    const counts = await powerCuts({ seed, cuts: CUTS });
    console.log(JSON.stringify({ seed, ...counts }));
    assert.equal(counts.crashes, CUTS);
    assert.ok(counts.inFlight > 0);
  },
);

test.skipIf(missing !== undefined)(
  "a WAL that acknowledges before it syncs is found out",
  async () => {
    await assert.rejects(
      powerCuts({ seed, cuts: CUTS, nodeArgs: ACKS_BEFORE_SYNC }),
      /seed \d+, crash/,
    );
  },
);
