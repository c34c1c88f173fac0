import { isKarstError } from "@karst/runtime";
import type { OpenLog } from "./open-log.ts";
import type { Process } from "./process.ts";
import type { Run } from "./run.ts";

/** How long a step waits for what it has begun: not at all, for what needs no time, a moment, or until it is done. */
export type Wait = "no" | "turn" | "moment" | "done";

/** One thing that happens in a run. */
export type Step = (run: Run) => Promise<void>;

export function within(log: OpenLog, where: number): number {
  return log.logStartOffset + Math.floor(where * (log.highWatermark - log.logStartOffset));
}

export async function wait(
  run: Run,
  process: Process,
  promise: Promise<unknown>,
  how: Wait,
): Promise<void> {
  const { clock } = run.world;
  const tolerated = promise.catch(tolerate);
  run.watch(tolerated);
  if (how === "turn") await clock.runDeferred();
  if (how === "moment") await clock.advance(2);
  if (how === "done")
    run.world.note(`waited ${(await run.world.until(process.life, tolerated)).tag}`);
}

export function capture<T>(call: () => Promise<T>): Promise<T> {
  return Promise.resolve().then(call);
}

/** Whatever else something rejects with is a defect. */
export function tolerate(error: unknown): void {
  if (!isKarstError(error, "unavailable", "indeterminate", "closed", "fenced"))
    throw error as Error;
}
