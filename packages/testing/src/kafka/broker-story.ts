import { type CardOf, play, type StoryStep } from "../world/story.ts";
import type { BrokerRun } from "./broker-run.ts";

/** Plays a story to its end: faults, then healing, then everything must be in order. Throws what goes wrong. */
export async function performBroker<Run extends BrokerRun & { begin(): Promise<void> }>(
  run: Run,
  cards: ReadonlyMap<string, CardOf<Run>>,
  steps: readonly StoryStep[],
  finish: (run: Run) => Promise<void>,
): Promise<Run> {
  await run.begin();
  await play(run, cards, steps);
  await finish(run);
  count(run);
  return run;
}

/** What only the counters know. */
function count({ world }: BrokerRun): void {
  const { sometimes, faulty, metrics, tally } = world;
  sometimes.add("upload", metrics.value("karst_uploads_total"));
  sometimes.add("wal-trim", metrics.value("karst_wal_trims_total"));
  if (faulty === undefined) return;
  for (const amount of Object.values(faulty.counts)) tally.faults += amount;
}
