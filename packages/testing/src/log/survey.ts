import type { Attempt, LogModel } from "./log-model.ts";
import type { Process } from "./process.ts";
import type { World } from "../world/world.ts";
import { readWhole } from "./whole-log.ts";

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
export function readAll(
  world: World,
  logs: readonly LogModel[],
  process: Process,
  index: number,
): Promise<boolean> {
  const model = logs[index] as LogModel;
  return readWhole(world, process.log(index), model, {
    life: process.life,
    begun: (from) => model.history?.read(process.number, from),
  });
}
