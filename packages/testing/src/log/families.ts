import type { Family } from "../family.ts";
import { storyFamily } from "../world/story-family.ts";
import { LABELS, STORE_LABELS } from "./labels.ts";
import { drawStory, perform } from "./story.ts";

const WILD_STEPS = 60;
/** Six simulated minutes. */
const STEADY_STEPS = 3_600;

/** One machine, one engine after another or several: everything at any time. */
export const logFamily: Family = storyFamily({
  name: "log",
  labels: [...LABELS, ...STORE_LABELS],
  draw: (seed) => drawStory("wild", seed, WILD_STEPS),
  perform,
});

/** The same under a steady load, for minutes. */
export const steadyFamily: Family = storyFamily({
  name: "steady",
  labels: [
    "segment-roll",
    "upload",
    "wal-trim",
    "recovery-from-objects-and-wal",
    "duplicate-answered",
    "followed",
  ],
  draw: (seed) => drawStory("steady", seed, STEADY_STEPS),
  perform,
});
