import type { Family } from "../family.ts";
import { storyFamily } from "../world/story-family.ts";
import { LABELS } from "./labels.ts";
import { drawStory, perform } from "./story.ts";

const STEPS = 50;

/** A broker, and consumer groups around it: members that come, go and sleep, and bystanders. */
export const groupsFamily: Family = storyFamily({
  name: "groups",
  labels: LABELS,
  draw: (seed) => drawStory(seed, STEPS),
  // One argument: the other is for tests.
  perform: (story) => perform(story),
});
