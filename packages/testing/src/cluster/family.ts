import { SeededRandom } from "@karst/runtime/testing";
import type { Family, SeedResult } from "../family.ts";
import { shrink } from "../shrink.ts";
import { chance, pick, pickWeighted } from "../world/draw.ts";
import type { WorldOptions } from "../world/world.ts";
import { Cluster } from "./cluster.ts";
import { type Card, clusterDeck } from "./deck.ts";
import { finish } from "./finish.ts";

/** The name of a card, and its arguments. */
export type ClusterStep = readonly [name: string, ...args: readonly unknown[]];

/** Everything that happens in a run, as plain data: a seed's, or what is left of it after shrinking. */
export interface ClusterStory {
  readonly options: WorldOptions;
  readonly steps: readonly ClusterStep[];
}

const STEPS = 60;
const STORE_FAULTS = [
  "lost-answer",
  "lost-request",
  "late-effect",
  "outage",
  "flipped-bit",
  "not-found",
  "stale-list",
] as const;

const LABELS: readonly string[] = [
  "several-nodes",
  "node-opened",
  "restarted-beside-others",
  "opening-refused",
  "opening-crashed",
  "clean-close",
  "closing-crashed",
  "log-moved",
  "read-on-another-machine",
  "taking-refused",
  "topic-created",
  "topic-created-again",
  "topic-deleted",
  "deleted-while-open",
  "creation-lost",
  "duplicate-answered",
  "retry-survived",
  "retry-appended",
  "followed",
  "time-found",
  "time-found-first",
  "trim",
  "superseded",
  "zombie-fenced",
  "zombie-refused",
  "append-unknown",
  "engine-failed",
  "producer-id",
  "images-agreed",
  "catalogue-snapshot",
  "catalogue-entry-removed",
  "catalogue-snapshot-loaded",
  "slot-lost",
  "upload",
  "cold-read",
  ...STORE_FAULTS,
];

const CARDS = new Map(clusterDeck(1).map((card) => [card.name, card]));

/** Several machines over one root, which contend for the catalogue and hand streams to each other. */
export const clusterFamily: Family = {
  name: "cluster",
  labels: LABELS,
  run: async (seed) => resultOf(seed, await performCluster(drawCluster(seed))),
  shrink: async (seed) => {
    const story = drawCluster(seed);
    const why = await failureOf(story);
    if (why === undefined) return "it does not fail";
    const least = await shrink(story.steps, async (left) => {
      const again = await failureOf({ ...story, steps: left });
      return again !== undefined && kindOf(again) === kindOf(why);
    });
    return `${JSON.stringify(story.options)}\n${least.map((step) => JSON.stringify(step)).join("\n")}`;
  },
};

export function drawCluster(seed: number): ClusterStory {
  const random = new SeededRandom(`${seed}/cluster story`);
  const machines = pick(random, [2, 3]);
  const cards = swarm(clusterDeck(machines), random);
  const steps: ClusterStep[] = [["muster"], ["create", 0, "a", 2]];
  while (steps.length < STEPS) {
    const card = pickWeighted(random, cards);
    steps.push([card.name, ...card.draw(random)]);
  }
  const tempo = pick(random, ["instant", "slow"] as const);
  return { options: { seed, machines, store: "memory", tempo }, steps };
}

/** Some cards, some oftener than others: what never happens in one story lets others happen undisturbed. */
function swarm(deck: readonly Card[], random: SeededRandom): readonly Card[] {
  return deck
    .filter((card) => card.sort === "load" || chance(random, 70))
    .map((card) => ({
      ...card,
      weight: card.weight * pick(random, [1, 2, 2, 4]),
    }));
}

/** Plays a story to its end: faults, then healing, then everything must be in order. Throws what goes wrong. */
export async function performCluster(story: ClusterStory): Promise<Cluster> {
  const cluster = new Cluster(story.options);
  await cluster.begin();
  for (const [name, ...args] of story.steps) {
    const card = CARDS.get(name);
    if (card === undefined) throw new TypeError(`there is no step "${name}"`);
    cluster.world.note(`${name} ${JSON.stringify(args)}`);
    await card.make(args)(cluster);
    cluster.check();
  }
  await finish(cluster);
  count(cluster);
  return cluster;
}

/** What only the counters know. */
function count({ world, topics, chain }: Cluster): void {
  const { sometimes, faulty, metrics } = world;
  const catalogue = (what: string): number => metrics.value(`karst_catalogue_${what}`);
  sometimes.add("upload", metrics.value("karst_uploads_total"));
  sometimes.add("cold-read", metrics.value("karst_object_gets_total"));
  sometimes.add("images-agreed", chain.agreed);
  sometimes.add("catalogue-snapshot", catalogue("written_snapshots"));
  sometimes.add("catalogue-entry-removed", catalogue("deleted_objects"));
  sometimes.add("catalogue-snapshot-loaded", catalogue("loaded_snapshots"));
  sometimes.add("slot-lost", catalogue("lost_slots"));
  for (const { logs } of topics.all) {
    for (const { producer } of logs) {
      sometimes.add("retry-survived", producer.survived);
      sometimes.add("retry-appended", producer.lost);
    }
  }
  if (faulty === undefined) return;
  for (const tag of STORE_FAULTS) {
    sometimes.add(tag, faulty.counts[tag]);
    world.tally.faults += faulty.counts[tag];
  }
}

function resultOf(seed: number, { world }: Cluster): SeedResult {
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

async function failureOf(story: ClusterStory): Promise<Error | undefined> {
  try {
    await performCluster(story);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** The same defect says the same, but for numbers and ids. */
function kindOf(error: Error): string {
  return error.message.replaceAll(/[0-9a-f]{32}|\d+/g, "#");
}
