import type { Family } from "../family.ts";
import { storyFamily } from "../world/story-family.ts";
import { LABELS } from "./labels.ts";
import { drawStory, perform } from "./story.ts";

const STEPS = 60;

/** A broker, and Kafka clients around it: everything at any time. */
export const kafkaFamily: Family = storyFamily({
  name: "kafka",
  labels: LABELS,
  draw: (seed) => drawStory(seed, STEPS),
  // One argument: the other is for tests.
  perform: (story) => perform(story),
});
