import type { Family, SeedResult } from "../family.ts";
import { shrink } from "../shrink.ts";
import { LABELS } from "./labels.ts";
import { drawStory, type KafkaStory, perform } from "./story.ts";

const STEPS = 60;

/** A broker, and Kafka clients around it: everything at any time. */
export const kafkaFamily: Family = {
  name: "kafka",
  labels: LABELS,
  run: async (seed) => {
    const { world } = await perform(drawStory(seed, STEPS));
    const { trace, clock, tally, crashStates, sometimes, invariants } = world;
    const simulatedMs = clock.monotonicMs();
    return {
      seed,
      trace,
      simulatedMs,
      ...tally,
      crashStates,
      sometimes,
      invariants,
    } satisfies SeedResult;
  },
  shrink: async (seed) => {
    const story = drawStory(seed, STEPS);
    const why = await failureOf(story);
    if (why === undefined) return "it does not fail";
    const least = await shrink(story.steps, async (steps) => {
      const again = await failureOf({ ...story, steps });
      return again !== undefined && kindOf(again) === kindOf(why);
    });
    return `${JSON.stringify(story.options)}\n${least.map((step) => JSON.stringify(step)).join("\n")}`;
  },
};

async function failureOf(story: KafkaStory): Promise<Error | undefined> {
  try {
    await perform(story);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** The same defect says the same, but for numbers and ids. */
function kindOf(error: Error): string {
  return error.message.replaceAll(/[0-9a-f]{32}|\d+/g, "#");
}
