// Runs seeds in a process of its own, on request.
import { familyNamed } from "./families.ts";
import { runSeeds, type SeedsReport } from "./run-seeds.ts";

/** Plain data: a task for a worker. */
export interface SeedsTask {
  readonly family: string;
  readonly first: number;
  readonly count: number;
  readonly twice: boolean;
}

process.on("message", (task: SeedsTask) => {
  const { family, ...rest } = task;
  runSeeds({ ...rest, family: familyNamed(family), keepGoing: true }).then(
    (report: SeedsReport) => process.send?.(report),
    (error: unknown) => {
      throw error;
    },
  );
});
process.on("disconnect", () => process.exit(0));
