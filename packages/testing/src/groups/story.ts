import { randomInteger } from "@karst/runtime";
import { SeededRandom } from "@karst/runtime/testing";
import { performBroker } from "../kafka/broker-story.ts";
import { drawNet } from "../kafka/net-setting.ts";
import { drawProducers } from "../kafka/producer.ts";
import { chance, pick } from "../world/draw.ts";
import { cardsByName, drawSteps, type StoryOf } from "../world/story.ts";
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
    partitions: [large ? 100 : randomInteger(random, 1, 8), randomInteger(random, 1, 3)],
    producers: drawProducers(random, randomInteger(random, 1, 2)),
    members,
    statics: pick(random, [0, 1, Math.ceil(members / 2), members]),
    groupMembersMax: chance(random, SMALL_LIMIT_PERCENT) ? randomInteger(random, 1, 3) : 100,
    initialRebalanceDelayMs: pick(random, [0, 0, 200, 1_000]),
    partBytesMax: pick(random, [100, 700, 6_000]),
    snapshotBytesMin: pick(random, [1_000, 5_000, 50_000]),
  };
  const steps = drawSteps(DECK, random, { percent: 60, length, paceMsMax: PACE_MS_MAX });
  return { options, steps };
}

const CARDS = cardsByName(DECK);

/** @param run another than the story's: for tests. */
export function perform(
  story: GroupsStory,
  run: GroupsRun = new GroupsRun(story.options),
): Promise<GroupsRun> {
  return performBroker(run, CARDS, story.steps, finish);
}
