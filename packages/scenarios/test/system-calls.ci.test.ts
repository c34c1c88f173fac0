import assert from "node:assert/strict";
import { test } from "vitest";
import { canInject } from "../src/call-fault.ts";
import { CALL_KINDS, callSweep } from "../src/real/call-sweep.ts";
import { whyNoLoopDisk } from "../src/real/loop-disk.ts";
import type { Level } from "../src/real/protocol.ts";

const seed = Number(process.env["KARST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
/** Of all cases so many are left out between two: another seed takes others. */
const STRIDE = 24;
const level: Level = seed % 2 === 0 ? "topic" : "partition";

const cannotInject = !(await canInject());
const cannotCut = whyNoLoopDisk();
if (cannotInject) console.log("skipped: system-call faults need strace, and the right to use it");

test.skipIf(cannotInject)(
  `a process that dies at, or is refused, any system call loses nothing (seed ${seed})`,
  async () => {
    const powerCuts = cannotCut === undefined;
    if (!powerCuts) console.log(`without power cuts: ${cannotCut}`);
    const { cases, kinds, checkedOperations } = await callSweep({
      level,
      kinds: CALL_KINDS,
      stride: STRIDE,
      seed,
      powerCuts,
    });
    console.log(JSON.stringify({ seed, level, cases, checkedOperations, kinds }));
    assert.ok(cases > 0);
    // A kill that met its call has killed; an error may be survived.
    for (const { fault, killed, failed, finished, stuck } of kinds) {
      if (fault === "signal=KILL") assert.deepEqual([failed, finished, stuck], [0, 0, 0]);
      else assert.equal(killed, 0);
    }
  },
);
