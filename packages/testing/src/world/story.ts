import { type Random, randomInteger } from "@karst/runtime";
import { chance, pick, pickWeighted } from "./draw.ts";
import type { World } from "./world.ts";

/** The name of a card, and its arguments. */
export type StoryStep = readonly [name: string, ...args: readonly unknown[]];

/** Everything that happens in a run, as plain data: a seed's, or what is left of it after shrinking. */
export interface StoryOf<Options> {
  readonly options: Options;
  readonly steps: readonly StoryStep[];
}

/** One thing that happens in a run. */
export type StepOf<Run> = (run: Run) => Promise<void>;

/** A kind of step, to be drawn with its arguments. They are plain data: a story can be written down. */
export interface CardOf<Run> {
  readonly name: string;
  /** How often it is drawn, beside the others. */
  readonly weight: number;
  /** `load`: in every story; the others are left out of some. `fault`: rare where the load is to be steady. */
  readonly sort: "load" | "fault" | "other";
  draw(random: Random): readonly unknown[];
  make(args: readonly unknown[]): StepOf<Run>;
}

export function card<Run, const Args extends readonly unknown[]>(
  sort: CardOf<Run>["sort"],
  weight: number,
  name: string,
  step: (...args: Args) => StepOf<Run>,
  draw: (random: Random) => Args,
): CardOf<Run> {
  return { name, weight, sort, draw, make: (args) => step(...(args as Args)) };
}

/** Some cards, some oftener than others: what never happens in one story lets others happen undisturbed. @param percent of the cards that are no load. */
export function swarm<Run>(
  deck: readonly CardOf<Run>[],
  random: Random,
  percent: number,
): readonly CardOf<Run>[] {
  return deck
    .filter((one) => one.sort === "load" || chance(random, percent))
    .map((one) => ({ ...one, weight: one.weight * pick(random, [1, 2, 2, 4]) }));
}

/** Steps from some of the cards, with time passing between many of them. @param percent as in `swarm`. */
export function drawSteps<Run>(
  deck: readonly CardOf<Run>[],
  random: Random,
  { percent, length, paceMsMax }: { percent: number; length: number; paceMsMax: number },
): readonly StoryStep[] {
  const cards = swarm(deck, random, percent);
  const steps: StoryStep[] = [];
  while (steps.length < length) {
    const drawn = pickWeighted(random, cards);
    steps.push([drawn.name, ...drawn.draw(random)]);
    if (chance(random, 50)) steps.push(["pass", randomInteger(random, 1, paceMsMax)]);
  }
  return steps;
}

export function cardsByName<Run>(deck: readonly CardOf<Run>[]): ReadonlyMap<string, CardOf<Run>> {
  return new Map(deck.map((one) => [one.name, one]));
}

/** Plays the steps, and lets the run look at itself after each of them. @param paceMs time between two; 0: none but what they take themselves. */
export async function play<Run extends { readonly world: World; check(): void }>(
  run: Run,
  cards: ReadonlyMap<string, CardOf<Run>>,
  steps: readonly StoryStep[],
  paceMs = 0,
): Promise<void> {
  for (const [name, ...args] of steps) {
    const found = cards.get(name);
    if (found === undefined) throw new TypeError(`there is no step "${name}"`);
    run.world.note(`${name} ${JSON.stringify(args)}`);
    await found.make(args)(run);
    if (paceMs > 0) await run.world.clock.advance(paceMs);
    run.check();
  }
}
