import { isKarstError } from "@karst/runtime";
import type { Life } from "../world/life.ts";
import type { World } from "../world/world.ts";
import type { ReadCall } from "../checkers/log-recorder.ts";
import type { LogModel } from "./log-model.ts";
import type { OpenLog } from "./open-log.ts";

const BYTES = 1500;
const PAUSE_MS = 100;
/** Reads that may fail before faults are made to stop, and before that is a defect. */
const TRIES_UNHEALED = 8;
const TRIES_MAX = 40;

/**
 * Reads a whole log, and compares it with its model.
 *
 * @param options `begun`: each read is on record from there on.
 * @returns false: the process ended first, or failed.
 */
export async function readWhole(
  world: World,
  log: OpenLog,
  model: LogModel,
  options: {
    readonly life: Life;
    begun?(from: number): ReadCall | undefined;
  },
): Promise<boolean> {
  let tries = 0;
  for (let from = log.logStartOffset; from < log.highWatermark;) {
    const call = options.begun?.(from);
    const outcome = await world.until(options.life, log.read({ from, bytesMax: BYTES }));
    if (outcome.tag === "died") return false;
    if (outcome.tag === "ok") {
      model.checkRead(from, outcome.value, log.highWatermark, call);
      world.tally.checked += 1;
      from = outcome.value.nextOffset;
      outcome.value.release();
      continue;
    }
    if (outcome.tag === "failed" && !isKarstError(outcome.error, "unavailable")) {
      if (isKarstError(outcome.error, "closed", "fenced")) return false;
      throw outcome.error as Error;
    }
    tries += 1;
    const why = outcome.tag === "failed" ? String(outcome.error) : outcome.tag;
    world.invariants.check(
      "O9",
      tries < TRIES_MAX,
      () => `${model.name} cannot be read at ${from}: ${why}`,
    );
    if (tries >= TRIES_UNHEALED) world.heal();
    await world.clock.advance(PAUSE_MS);
  }
  return true;
}
