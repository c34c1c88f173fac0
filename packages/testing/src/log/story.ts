import { SeededRandom } from "@karst/runtime/testing";
import { chance, pick, pickWeighted } from "../world/draw.ts";
import type { WorldOptions } from "../world/world.ts";
import { type Card, DECK, STEADY_DECK } from "./deck.ts";
import { finish } from "./finish.ts";
import { STORE_LABELS } from "./labels.ts";
import { SMALL, TINY } from "./limits.ts";
import { Run } from "./run.ts";

/** The name of a card, and its arguments. */
export type StoryStep = readonly [name: string, ...args: readonly unknown[]];

/** Everything that happens in a run, as plain data: a seed's, or what is left of it after shrinking. */
export interface Story {
  readonly options: WorldOptions;
  readonly size: "tiny" | "small";
  /** Time between two steps; 0: none passes but what they take themselves. */
  readonly paceMs: number;
  readonly steps: readonly StoryStep[];
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
  const cards = swarm(steady ? STEADY_DECK : DECK, random);
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
    size: steady ? "small" : "tiny",
    paceMs: steady ? STEADY_PACE_MS : 0,
    steps,
  };
}

/** Some cards, some oftener than others: what never happens in one story lets others happen undisturbed. */
function swarm(deck: readonly Card[], random: SeededRandom): readonly Card[] {
  return deck
    .filter((card) => card.sort === "load" || chance(random, 70))
    .map((card) => ({ ...card, weight: card.weight * pick(random, [1, 2, 2, 4]) }));
}

const SIZES = { tiny: TINY, small: SMALL } as const;

const CARDS = new Map([...DECK, ...STEADY_DECK].map((card) => [card.name, card]));

/** Plays a story to its end: faults, then healing, then everything must be in order. Throws what goes wrong. */
export async function perform(story: Story): Promise<Run> {
  const run = new Run(story.options, SIZES[story.size]);
  await run.begin();
  for (const [name, ...args] of story.steps) {
    const card = CARDS.get(name);
    if (card === undefined) throw new TypeError(`there is no step "${name}"`);
    run.world.note(`${name} ${JSON.stringify(args)}`);
    await card.make(args)(run);
    if (story.paceMs > 0) await run.world.clock.advance(story.paceMs);
    run.check();
  }
  await finish(run);
  count(run);
  return run;
}

/** What only the counters know. */
function count({ world, producers }: Run): void {
  const { sometimes, faulty, metrics } = world;
  sometimes.add("upload", metrics.value("karst_uploads_total"));
  sometimes.add("wal-trim", metrics.value("karst_wal_trims_total"));
  sometimes.add("cold-read", metrics.value("karst_object_gets_total"));
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
