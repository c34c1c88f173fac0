import { isKarstError } from "@karst/runtime";
import type { Life } from "./life.ts";
import type { World } from "./world.ts";

/** How long a step waits for what it has begun: not at all, for what needs no time, a moment, or until it is done. */
export type Wait = "no" | "turn" | "moment" | "done";

/** What a process is asked to append, and whether that is waited for. */
export interface Batches {
  readonly times: number;
  readonly count: number;
  readonly bytes: number;
  readonly wait: Wait;
  /** How long before now the records of every other batch are from; below 0: after now. Default 0. */
  readonly lateMs?: number;
  /** From one record's time to the next one's. Default 0. */
  readonly stepMs?: number;
}

/** Waits for what a process does, if at all. The rest of it is watched by the run. */
export async function wait(
  run: { readonly world: World; watch(promise: Promise<unknown>): void },
  process: { readonly life: Life },
  promise: Promise<unknown>,
  how: Wait,
): Promise<void> {
  const { world } = run;
  const tolerated = promise.catch(tolerate);
  run.watch(tolerated);
  if (how === "turn") await world.clock.runDeferred();
  if (how === "moment") await world.clock.advance(2);
  if (how === "done") world.note(`waited ${(await world.until(process.life, tolerated)).tag}`);
}

/** What it throws at once is what it rejects with. */
export function capture<T>(call: () => Promise<T>): Promise<T> {
  return Promise.resolve().then(call);
}

/** Whatever else something rejects with is a defect. */
export function tolerate(error: unknown): void {
  if (!isKarstError(error, "unavailable", "indeterminate", "closed", "fenced"))
    throw error as Error;
}
