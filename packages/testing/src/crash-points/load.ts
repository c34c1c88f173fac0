import type { Run } from "../log/run.ts";
import * as steps from "../log/steps.ts";
import type { Wait } from "../world/wait.ts";

/** One append to each log, and one batch of each producer. */
export async function appendToAll(run: Run, bytes: number, wait: Wait): Promise<void> {
  const batches = { times: 1, count: 2, bytes, wait };
  for (const index of run.logs.keys()) await steps.append(index, index * 3, batches)(run);
  for (const index of run.producers.keys()) await steps.produce(index, batches)(run);
}

/** A log as it is in the middle of its life: some of it in objects, some trimmed, the last acknowledged records in the WAL alone. */
export async function load(run: Run): Promise<void> {
  await run.begin();
  await steps.takeProducerIds(1)(run);
  for (let i = 0; i < 2; i += 1) await appendToAll(run, 200, "done");
  await steps.upload("done")(run);
  await steps.trim(1, 0.5, "done")(run);
  await steps.trim(0, 0.25, "done")(run);
  await appendToAll(run, 100, "done");
}
