import assert from "node:assert/strict";
import { isKarstError } from "@karst/runtime";
import { tolerate } from "../world/wait.ts";
import { within } from "./open-log.ts";
import type { Process } from "./process.ts";
import type { Run } from "./run.ts";
import type { Step } from "./step.ts";

/** @param where from the start, 0, to the watermark, 1. */
export function read(index: number, where: number, bytesMax: number): Step {
  return async (run) => {
    const process = run.current ?? (await run.live());
    await readBy(run, process, index, where, bytesMax);
  };
}

/** Begins a read, and does not wait for it: whatever comes next comes in between. */
export function readAway(index: number, where: number, bytesMax: number): Step {
  return async (run) => {
    const process = run.current ?? (await run.live());
    const log = process.log(index);
    const read = log.read({ from: within(log, where), bytesMax }).then(
      (value) => value.release(),
      (error: unknown) => {
        if (!isKarstError(error, "out_of_range")) tolerate(error);
      },
    );
    run.watch(read);
  };
}

export async function readBy(
  run: Run,
  process: Process,
  index: number,
  where: number,
  bytesMax: number,
): Promise<void> {
  const log = process.log(index);
  const from = within(log, where);
  const { highWatermark, logStartOffset } = log;
  // Who was succeeded may show what was true before.
  const call = process.isFenced ? undefined : run.logs[index]?.history?.read(process.number, from);
  const outcome = await run.world.until(process.life, log.read({ from, bytesMax }));
  run.world.note(`read ${outcome.tag}`);
  run.world.tally.checked += 1;
  if (outcome.tag === "failed") {
    // A trim came in between, or has happened and nobody knows.
    const trimmed = log.logStartOffset > logStartOffset || run.logs[index]?.mayStartAbove(from);
    if (!isKarstError(outcome.error, "out_of_range") || trimmed !== true) tolerate(outcome.error);
  }
  if (outcome.tag !== "ok") return;
  const { value } = outcome;
  assert.ok(
    value.nextOffset <= Math.max(highWatermark, from),
    "a read went over the watermark of its call",
  );
  run.logs[index]?.checkRead(from, value, highWatermark, process.isFenced ? undefined : call);
  value.release();
}
