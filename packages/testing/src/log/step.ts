import type { StepOf } from "../world/story.ts";
import type { Run } from "./run.ts";

/** One thing that happens in a run. */
export type Step = StepOf<Run>;
