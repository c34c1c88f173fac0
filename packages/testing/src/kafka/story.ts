import { randomInteger } from "@karst/runtime";
import { SeededRandom } from "@karst/runtime/testing";
import { pick } from "../world/draw.ts";
import { cardsByName, drawSteps, type StoryOf } from "../world/story.ts";
import { performBroker } from "./broker-story.ts";
import { drawReading } from "./log-reader.ts";
import { DECK } from "./deck.ts";
import { finish } from "./finish.ts";
import { drawNet } from "./net-setting.ts";
import { type KafkaOptions, KafkaRun } from "./kafka-run.ts";
import { drawProducers } from "./producer.ts";

/** Everything that happens to a broker and its clients. */
export type KafkaStory = StoryOf<KafkaOptions>;

/** Time between two steps at most. */
const PACE_MS_MAX = 30;

export function drawStory(seed: number, length: number): KafkaStory {
  const random = new SeededRandom(`${seed}/kafka story`);
  const options: KafkaOptions = {
    seed,
    store: pick(random, ["file", "memory"]),
    tempo: pick(random, ["instant", "slow"]),
    net: drawNet(random),
    partitions: [randomInteger(random, 1, 3), randomInteger(random, 1, 3)],
    producers: drawProducers(random, randomInteger(random, 2, 4)),
    consumers: Array.from({ length: randomInteger(random, 2, 3) }, (_, i) => ({
      name: `c${i}`,
      topics: pick(random, [["t0", "t1"], ["t1", "t0"], ["t0"]]),
      ...drawReading(random),
    })),
  };
  const steps = drawSteps(DECK, random, { percent: 65, length, paceMsMax: PACE_MS_MAX });
  return { options, steps };
}

const CARDS = cardsByName(DECK);

/** @param run another than the story's: for tests. */
export function perform(
  story: KafkaStory,
  run: KafkaRun = new KafkaRun(story.options),
): Promise<KafkaRun> {
  return performBroker(run, CARDS, story.steps, finish);
}
