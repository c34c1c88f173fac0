import type { Family, SeedResult } from "../family.ts";
import { shrink } from "../shrink.ts";
import { LABELS, STORE_LABELS } from "./labels.ts";
import { drawStory, perform, type Story, type StorySort } from "./story.ts";

const WILD_STEPS = 60;
/** Six simulated minutes. */
const STEADY_STEPS = 3_600;

/** One machine, one engine after another or several: everything at any time. */
export const logFamily: Family = storyFamily("log", "wild", WILD_STEPS, [
  ...LABELS,
  ...STORE_LABELS,
]);

/** The same under a steady load, for minutes. */
export const steadyFamily: Family = storyFamily("steady", "steady", STEADY_STEPS, [
  "segment-roll",
  "upload",
  "wal-trim",
  "recovery-from-objects-and-wal",
  "duplicate-answered",
  "followed",
]);

function storyFamily(
  name: string,
  sort: StorySort,
  steps: number,
  labels: readonly string[],
): Family {
  const draw = (seed: number): Story => drawStory(sort, seed, steps);
  return {
    name,
    labels,
    run: async (seed) => resultOf(seed, await perform(draw(seed))),
    shrink: async (seed) => {
      const story = draw(seed);
      const why = await failureOf(story);
      if (why === undefined) return "it does not fail";
      const least = await shrink(story.steps, async (left) => {
        const again = await failureOf({ ...story, steps: left });
        return again !== undefined && kindOf(again) === kindOf(why);
      });
      return `${JSON.stringify(story.options)}\n${least.map((step) => JSON.stringify(step)).join("\n")}`;
    },
  };
}

function resultOf(seed: number, { world }: Awaited<ReturnType<typeof perform>>): SeedResult {
  const { trace, clock, tally, crashStates, sometimes, invariants } = world;
  return {
    seed,
    trace,
    simulatedMs: clock.monotonicMs(),
    ...tally,
    crashStates,
    sometimes,
    invariants,
  };
}

async function failureOf(story: Story): Promise<Error | undefined> {
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
