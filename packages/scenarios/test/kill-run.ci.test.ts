import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
// The built code: what is killed runs as a process, from `dist`.
import {
  cutRun,
  embeddedRun,
  kafkaRun,
  type KillRunResult,
  type Mutant,
  vegaRows,
} from "../dist/index.js";

/** Printed with every run: set it to run one again. */
const seed = Number(process.env["KARST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

const rows = vegaRows();
const embeddedShare = 60_000;

/** Removes what a run wrote, unless it failed. */
async function inDirectory<T>(run: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "karst-kill-run-"));
  const result = await run(directory);
  await rm(directory, { recursive: true, force: true });
  return result;
}

function report(name: string, result: KillRunResult): void {
  process.stdout.write(`${name}: ${JSON.stringify(result)}\n`);
}

test("every acknowledged row of kcat, kafkajs and @platformatic/kafka survives SIGKILL", async () => {
  const result = await inDirectory((directory) =>
    kafkaRun({ seed, directory, rows: rows.slice(embeddedShare), kills: 4 }),
  );
  report("kafka clients", result);
  assert.equal(result.acknowledged, rows.length - embeddedShare);
  assert.ok(result.kills >= 3);
  assert.ok(result.crossed.segmentRolls >= 5, JSON.stringify(result.crossed));
  assert.ok(result.crossed.uploads >= 5, JSON.stringify(result.crossed));
  assert.ok(result.crossed.walTrims >= 1, JSON.stringify(result.crossed));
  assert.ok(result.crossed.mixedRecoveries >= 1, JSON.stringify(result.crossed));
});

test("every acknowledged row of the embedded API survives SIGKILL, and kcat reads the same", async () => {
  const result = await inDirectory((directory) =>
    embeddedRun({ seed: seed + 1, directory, rows: rows.slice(0, embeddedShare), kills: 3 }),
  );
  report("embedded API", result);
  assert.equal(result.acknowledged, embeddedShare);
  assert.ok(result.kills >= 3);
});

test("with default limits in memory, acknowledged rows survive cut connections", async () => {
  const result = await cutRun({ seed: seed + 2, rows: rows.slice(0, 60_000), cuts: 6 });
  report("cut connections", result);
  assert.equal(result.acknowledged, 60_000);
});

test("a mutant that acknowledges before the sync is caught", async () => {
  const mutant: Mutant = "ack-before-sync";
  const verdicts: string[] = [];
  // A kill must fall between an acknowledgement and the write of its bytes: within a fraction of a millisecond.
  for (let attempt = 0; attempt < 5 && !verdicts.some(isLoss); attempt += 1) {
    const verdict = await inDirectory((directory) =>
      kafkaRun({
        seed: seed + 3 + attempt,
        directory,
        rows: rows.slice(0, 30_000),
        kills: 8,
        mutant,
      }).then(
        () => "nothing found",
        (error: unknown) => String(error),
      ),
    );
    verdicts.push(verdict);
  }
  process.stdout.write(`mutant ${mutant}: ${verdicts.join(" | ")}\n`);
  assert.ok(verdicts.some(isLoss), verdicts.join("\n"));
});

function isLoss(verdict: string): boolean {
  return /is lost|holds another row|has other bytes/.test(verdict);
}
