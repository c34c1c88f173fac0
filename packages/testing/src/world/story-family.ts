import type { Family, SeedResult } from "../family.ts";
import { shrink } from "../shrink.ts";
import type { StoryOf } from "./story.ts";
import type { World } from "./world.ts";

/** A family of which each seed is a story. */
export function storyFamily<Story extends StoryOf<unknown>>(parts: {
  readonly name: string;
  readonly labels: readonly string[];
  draw(seed: number): Story;
  /** Plays a story to its end. Rejects with the first thing found wrong. */
  perform(story: Story): Promise<{ readonly world: World }>;
}): Family {
  const { name, labels, draw, perform } = parts;
  const failureOf = async (story: Story): Promise<Error | undefined> => {
    try {
      await perform(story);
      return undefined;
    } catch (error) {
      return error as Error;
    }
  };
  return {
    name,
    labels,
    run: async (seed) => resultOf(seed, (await perform(draw(seed))).world),
    shrink: async (seed) => {
      const story = draw(seed);
      const why = await failureOf(story);
      if (why === undefined) return "it does not fail";
      const least = await shrink(story.steps, async (steps) => {
        const again = await failureOf({ ...story, steps });
        return again !== undefined && kindOf(again) === kindOf(why);
      });
      const lines = [story.options, ...least].map((line) => JSON.stringify(line));
      return lines.join("\n");
    },
  };
}

function resultOf(seed: number, world: World): SeedResult {
  const { trace, clock, tally, crashStates, sometimes, invariants } = world;
  const simulatedMs = clock.monotonicMs();
  return { seed, trace, simulatedMs, ...tally, crashStates, sometimes, invariants };
}

/** The same defect says the same, but for numbers and ids. */
function kindOf(error: Error): string {
  return error.message.replaceAll(/[0-9a-f]{32}|\d+/g, "#");
}
