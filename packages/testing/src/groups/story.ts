import { randomInteger } from "@karst/runtime";
import { SeededRandom } from "@karst/runtime/testing";
import { drawNet } from "../kafka/net-setting.ts";
import { chance, pick, pickWeighted } from "../world/draw.ts";
import { cardsByName, play, type StoryOf, type StoryStep, swarm } from "../world/story.ts";
import { DECK } from "./deck.ts";
import { finish } from "./finish.ts";
import { type GroupsOptions, GroupsRun } from "./groups-run.ts";

/** Everything that happens to a broker and its groups. */
export type GroupsStory = StoryOf<GroupsOptions>;

/** Time between two steps at most. */
const PACE_MS_MAX = 400;
/** Of the stories. */
const LARGE_PERCENT = 12;
const SMALL_LIMIT_PERCENT = 15;

export function drawStory(seed: number, length: number): GroupsStory {
  const random = new SeededRandom(`${seed}/groups story`);
  const large = chance(random, LARGE_PERCENT);
  const members = large ? 10 : randomInteger(random, 1, 5);
  const options: GroupsOptions = {
    seed,
    store: pick(random, ["file", "memory"]),
    tempo: pick(random, ["instant", "slow", "slow"]),
    net: drawNet(random),
    partitions: large ? 100 : randomInteger(random, 1, 8),
    members,
    statics: pick(random, [0, 1, Math.ceil(members / 2), members]),
    groupMembersMax: chance(random, SMALL_LIMIT_PERCENT) ? randomInteger(random, 1, 3) : 100,
    initialRebalanceDelayMs: pick(random, [0, 0, 200, 1_000]),
    partBytesMax: pick(random, [100, 700, 6_000]),
    snapshotBytesMin: pick(random, [1_000, 5_000, 50_000]),
  };
  const cards = swarm(DECK, random, 60);
  const steps: StoryStep[] = [];
  while (steps.length < length) {
    const card = pickWeighted(random, cards);
    steps.push([card.name, ...card.draw(random)]);
    if (chance(random, 50)) steps.push(["pass", randomInteger(random, 1, PACE_MS_MAX)]);
  }
  return { options, steps };
}

const CARDS = cardsByName(DECK);

/** Plays a story to its end: faults, then healing, then everything must be in order. Throws what goes wrong. */
export async function perform(
  story: GroupsStory,
  run: GroupsRun = new GroupsRun(story.options),
): Promise<GroupsRun> {
  await run.begin();
  await play(run, CARDS, story.steps);
  await finish(run);
  count(run);
  return run;
}

/** What only the counters know. */
function count({ world }: GroupsRun): void {
  const { sometimes, faulty, metrics, tally } = world;
  sometimes.add("upload", metrics.value("karst_uploads_total"));
  sometimes.add("wal-trim", metrics.value("karst_wal_trims_total"));
  if (faulty === undefined) return;
  for (const amount of Object.values(faulty.counts)) tally.faults += amount;
}
