import { SeededRandom } from "@karst/runtime/testing";
import type { Family } from "../family.ts";
import { pick, pickWeighted } from "../world/draw.ts";
import { cardsByName, play, type StoryOf, type StoryStep, swarm } from "../world/story.ts";
import { storyFamily } from "../world/story-family.ts";
import type { WorldOptions } from "../world/world.ts";
import { Cluster } from "./cluster.ts";
import { clusterDeck } from "./deck.ts";
import { finish } from "./finish.ts";

/** Everything that happens in a cluster. */
export type ClusterStory = StoryOf<WorldOptions>;

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
  "race",
  "closed-and-opened",
  "closed-and-opened-contested",
  "commit-in-doubt",
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

const CARDS = cardsByName(clusterDeck(1));

/** Several machines over one root, which contend for the catalogue and hand streams to each other. */
export const clusterFamily: Family = storyFamily({
  name: "cluster",
  labels: LABELS,
  draw: drawCluster,
  perform: performCluster,
});

export function drawCluster(seed: number): ClusterStory {
  const random = new SeededRandom(`${seed}/cluster story`);
  const machines = pick(random, [2, 3]);
  const cards = swarm(clusterDeck(machines), random, 70);
  const steps: StoryStep[] = [["muster"], ["create", 0, "a", 2]];
  while (steps.length < STEPS) {
    const card = pickWeighted(random, cards);
    steps.push([card.name, ...card.draw(random)]);
  }
  const tempo = pick(random, ["instant", "slow"] as const);
  return { options: { seed, machines, store: "memory", tempo }, steps };
}

/** Plays a story to its end: faults, then healing, then everything must be in order. Throws what goes wrong. */
export async function performCluster(story: ClusterStory): Promise<Cluster> {
  const cluster = new Cluster(story.options);
  await cluster.begin();
  await play(cluster, CARDS, story.steps);
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
