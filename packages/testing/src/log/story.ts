import { SeededRandom } from "@karst/runtime/testing";
import { chance, pick, pickWeighted } from "../world/draw.ts";
import { cardsByName, play, type StoryOf, type StoryStep, swarm } from "../world/story.ts";
import type { WorldOptions } from "../world/world.ts";
import { DECK, STEADY_DECK } from "./deck.ts";
import { finish } from "./finish.ts";
import { STORE_LABELS } from "./labels.ts";
import { AHEAD, SMALL, TINY } from "./limits.ts";
import { Run } from "./run.ts";

export interface Story extends StoryOf<WorldOptions> {
  readonly size: "tiny" | "ahead" | "small";
  /** Time between two steps; 0: none passes but what they take themselves. */
  readonly paceMs: number;
}

/** `wild`: everything at any time. `steady`: a service under load, for minutes or hours, with a fault now and then. */
export type StorySort = "wild" | "steady";

/** Of a steady story. */
const STEADY_PACE_MS = 100;
/** How often a step of a steady story is a fault or one of the others, in percent of what the deck says. */
const RARELY_PERCENT = 25;

export function drawStory(sort: StorySort, seed: number, length: number): Story {
  const random = new SeededRandom(`${seed}/story`);
  const steady = sort === "steady";
  const cards = swarm(steady ? STEADY_DECK : DECK, random, 70);
  const steps: StoryStep[] = [];
  while (steps.length < length) {
    const card = pickWeighted(random, cards);
    const args = card.draw(random);
    if (steady && card.sort === "fault" && !chance(random, RARELY_PERCENT)) continue;
    steps.push([card.name, ...args]);
  }
  return {
    options: {
      seed,
      store: pick(random, ["file", "memory"]),
      tempo: pick(random, ["instant", "slow"]),
    },
    size: steady ? "small" : pick(random, ["tiny", "ahead"]),
    paceMs: steady ? STEADY_PACE_MS : 0,
    steps,
  };
}

const SIZES = { tiny: TINY, ahead: AHEAD, small: SMALL } as const;

const CARDS = cardsByName([...DECK, ...STEADY_DECK]);

/** Plays a story to its end: faults, then healing, then everything must be in order. Throws what goes wrong. */
export async function perform(story: Story): Promise<Run> {
  const run = new Run(story.options, SIZES[story.size]);
  await run.begin();
  await play(run, CARDS, story.steps, story.paceMs);
  await finish(run);
  count(run);
  return run;
}

/** What only the counters know. */
function count({ world, producers }: Run): void {
  const { sometimes, faulty, late, metrics } = world;
  sometimes.add("upload", metrics.value("karst_uploads_total"));
  sometimes.add("wal-trim", metrics.value("karst_wal_trims_total"));
  sometimes.add("cold-read", metrics.value("karst_object_gets_total"));
  sometimes.add("late-answer", late.count);
  for (const producer of producers) {
    sometimes.add("retry-survived", producer.survived);
    sometimes.add("retry-appended", producer.lost);
  }
  if (faulty === undefined) return;
  for (const tag of STORE_LABELS) {
    sometimes.add(tag, faulty.counts[tag]);
    world.tally.faults += faulty.counts[tag];
  }
}
