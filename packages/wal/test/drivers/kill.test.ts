import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MemoryBudget, SlabPool } from "@karst/runtime";
import { nodeRuntime } from "@karst/runtime/node";
import { type DeviceKind, fileWal, WAL_START, workerEntry } from "@karst/wal";
import { test } from "vitest";
import { idOf, ROOT } from "../crash-world.ts";

const CHILD = fileURLToPath(new URL("./kill-child.mjs", import.meta.url));
const KILLS = 4;

/** Runs the child until it has printed `acknowledgements` ids, kills it, and returns the last id that it printed. */
function killAfter(acknowledgements: number, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let printed = "";
    let complaint = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
      if (printed.split("\n").length > acknowledgements) child.kill("SIGKILL");
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaint += text;
    });
    child.on("error", reject);
    child.on("close", (_, signal) => {
      if (signal !== "SIGKILL") reject(new Error(complaint));
      else resolve(Number(printed.slice(0, printed.lastIndexOf("\n")).split("\n").at(-1)));
    });
  });
}

async function recoveredIds(directory: string, deviceKind: DeviceKind): Promise<number[]> {
  const slabs = new SlabPool({ budget: new MemoryBudget(64 * 1024 * 1024) });
  const factory = fileWal({ directory, deviceKind, runtime: nodeRuntime(), slabs });
  const claim = await factory.claim({ rootId: ROOT });
  const ids: number[] = [];
  const wal = await claim.recover({
    trim: WAL_START,
    onFrame: (frame) => {
      ids.push(idOf(frame));
      frame.slab.release();
    },
    listener: { durable: () => undefined, failed: (error) => assert.fail(error) },
  });
  await wal.close();
  return ids;
}

for (const deviceKind of ["inline", "worker"] as const) {
  test(`what a killed process printed as durable is there (${deviceKind})`, async () => {
    workerEntry();
    const directory = mkdtempSync(join(tmpdir(), "karst-wal-"));
    try {
      for (let kill = 1; kill <= KILLS; kill += 1) {
        const last = await killAfter(60 * kill, [join(directory, "wal"), deviceKind]);
        const ids = await recoveredIds(join(directory, "wal"), deviceKind);
        assert.deepEqual(
          ids,
          ids.map((_, i) => i + 1),
          "in order, without holes",
        );
        assert.ok(ids.length >= last, `${last} was printed, ${ids.length} survived`);
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
}
