import { isKarstError } from "@karst/runtime";
import type { Attempt, LogModel } from "./log-model.ts";
import type { Process } from "./process.ts";
import type { World } from "../world/world.ts";

const BYTES = 1500;
const PAUSE_MS = 100;
/** Reads that may fail before faults are made to stop, and before that is a defect. */
const TRIES_UNHEALED = 8;
const TRIES_MAX = 40;

/**
 * Reads everything that a process has found. All facts must be there; of what was doubtful a prefix, over all logs, in the order
 * of the appends; nothing else. From then on nothing of it is doubtful any more.
 *
 * @param appended by the process that had the logs before.
 * @returns false: the process ended first, or failed.
 */
export async function survey(
  world: World,
  logs: readonly LogModel[],
  process: Process,
  appended: readonly Attempt[],
): Promise<boolean> {
  const doubtful = appended.filter((attempt) => attempt.tag === "doubtful");
  for (const index of logs.keys()) if (!(await readAll(world, logs, process, index))) return false;
  const survivors = doubtful.filter((attempt) => attempt.tag === "fact").length;
  world.invariants.check(
    "W2",
    doubtful.slice(0, survivors).every((attempt) => attempt.tag === "fact"),
    () => `not a prefix: ${doubtful.map(({ id, tag }) => `${id} ${tag}`).join(", ")}`,
  );
  world.sometimes.add("doubtful-survived", survivors);
  world.sometimes.add("doubtful-lost", doubtful.length - survivors);
  for (const [index, model] of logs.entries()) model.surveyed(process.log(index));
  return true;
}

/** Reads a whole log; false: the process ended first, or failed. */
export async function readAll(
  world: World,
  logs: readonly LogModel[],
  process: Process,
  index: number,
): Promise<boolean> {
  const log = process.log(index);
  const model = logs[index] as LogModel;
  let tries = 0;
  for (let from = log.logStartOffset; from < log.highWatermark;) {
    const call = model.history?.read(process.number, from);
    const outcome = await world.until(process.life, log.read({ from, bytesMax: BYTES }));
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
