import { randomInteger } from "@karst/runtime";
import { SeededRandom } from "@karst/runtime/testing";
import { chance, pick, pickWeighted } from "../world/draw.ts";
import { cardsByName, play, type StoryOf, type StoryStep, swarm } from "../world/story.ts";
import { drawReading } from "./log-reader.ts";
import { DECK } from "./deck.ts";
import { finish } from "./finish.ts";
import { drawNet } from "./net-setting.ts";
import { type KafkaOptions, KafkaRun } from "./kafka-run.ts";
import type { ProducerOptions } from "./producer.ts";

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
    producers: Array.from({ length: randomInteger(random, 2, 4) }, (_, i) =>
      drawProducer(random, i),
    ),
    consumers: Array.from({ length: randomInteger(random, 2, 3) }, (_, i) => ({
      name: `c${i}`,
      topics: pick(random, [["t0", "t1"], ["t1", "t0"], ["t0"]]),
      ...drawReading(random),
    })),
  };
  const cards = swarm(DECK, random, 65);
  const steps: StoryStep[] = [];
  while (steps.length < length) {
    const card = pickWeighted(random, cards);
    steps.push([card.name, ...card.draw(random)]);
    if (chance(random, 50)) steps.push(["pass", randomInteger(random, 1, PACE_MS_MAX)]);
  }
  return { options, steps };
}

function drawProducer(random: SeededRandom, i: number): ProducerOptions {
  // The first one always, so that every story has one.
  const idempotent = i === 0 || chance(random, 50);
  return {
    name: `p${i}`,
    idempotent,
    acks: idempotent ? -1 : pick(random, [-1, -1, 1, 0] as const),
    inFlightMax: randomInteger(random, 1, 5),
    partitionsMax: randomInteger(random, 1, 4),
    produceVersion: randomInteger(random, 3, 13),
    initVersion: randomInteger(random, 0, 5),
  };
}

const CARDS = cardsByName(DECK);

/** Plays a story to its end: faults, then healing, then everything must be in order. Throws what goes wrong. */
export async function perform(
  story: KafkaStory,
  run: KafkaRun = new KafkaRun(story.options),
): Promise<KafkaRun> {
  await run.begin();
  await play(run, CARDS, story.steps);
  await finish(run);
  count(run);
  return run;
}

/** What only the counters know. */
function count({ world }: KafkaRun): void {
  const { sometimes, faulty, metrics, tally } = world;
  sometimes.add("upload", metrics.value("karst_uploads_total"));
  sometimes.add("wal-trim", metrics.value("karst_wal_trims_total"));
  if (faulty === undefined) return;
  for (const amount of Object.values(faulty.counts)) tally.faults += amount;
}
