import fc from "fast-check";
import { type Command, commands, worldOptions } from "./commands.ts";
import { CROSSINGS, Crossings, STORE_CROSSINGS } from "./crossings.ts";
import { finish } from "./finish.ts";
import { Run } from "./run.ts";
import type { WorldOptions } from "./world.ts";

const COMMANDS_MAX = 60;

/** Checks so many runs, and that together they were everywhere. `KARST_SEED` and `KARST_PATH` repeat what a failure names. */
export async function checkRuns(numRuns: number): Promise<void> {
  const crossings = new Crossings();
  const seed = process.env["KARST_SEED"];
  const path = process.env["KARST_PATH"];
  const replayPath = process.env["KARST_REPLAY"];
  await fc.assert(
    fc.asyncProperty(
      worldOptions,
      fc.commands(commands, {
        maxCommands: COMMANDS_MAX,
        size: "max",
        ...(replayPath !== undefined && { replayPath }),
      }),
      async (options, sequence) => {
        crossings.addAll((await perform(options, sequence)).world.crossings);
      },
    ),
    {
      numRuns,
      ...(seed !== undefined && { seed: Number(seed) }),
      ...(path !== undefined && { path }),
    },
  );
  if (process.env["KARST_PRINT"] === "1") console.log(crossings.toString());
  crossings.check([...CROSSINGS, ...STORE_CROSSINGS]);
}

/** One run, to its end. */
export async function perform(options: WorldOptions, sequence: Iterable<Command>): Promise<Run> {
  const run = new Run(options);
  await run.begin();
  await fc.asyncModelRun(() => ({ model: run.logs, real: run }), sequence);
  await finish(run);
  count(run);
  return run;
}

/** What only the counters know. */
function count({ world, producers }: Run): void {
  const { crossings, faulty, metrics } = world;
  crossings.add("upload", metrics.value("karst_uploads_total"));
  crossings.add("wal-trim", metrics.value("karst_wal_trims_total"));
  crossings.add("cold-read", metrics.value("karst_object_gets_total"));
  for (const producer of producers) {
    crossings.add("retry-survived", producer.survived);
    crossings.add("retry-appended", producer.lost);
  }
  if (faulty === undefined) return;
  for (const tag of STORE_CROSSINGS) crossings.add(tag, faulty.counts[tag]);
}
