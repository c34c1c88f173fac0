import { createTopicsApi, listOffsetsApi, metadataApi } from "@karst/kafka-protocol";
import type { Seeded } from "../seeded.ts";
import type { Pair } from "./pair.ts";
import type { Tally } from "./tally.ts";

/** The requests of one API, in all its versions. */
export interface Scenario {
  readonly apiKey: number;
  run(run: Run): Promise<void>;
}

/** What every API is compared at least so often. */
export const COMPARISONS_MIN = 200;
const TOPIC_POLLS_MAX = 200;
const POLL_MS = 25;

/** One scenario under way. */
export class Run {
  readonly pair: Pair;
  readonly random: Seeded;
  /** Versions that both brokers advertise and we can decode. */
  readonly versions: readonly number[];
  readonly #apiKey: number;
  readonly #tally: Tally;
  readonly #prefix: string;
  #topics = 0;

  constructor(options: {
    readonly pair: Pair;
    readonly random: Seeded;
    readonly versions: readonly number[];
    readonly apiKey: number;
    readonly tally: Tally;
    readonly prefix: string;
  }) {
    this.pair = options.pair;
    this.random = options.random;
    this.versions = options.versions;
    this.#apiKey = options.apiKey;
    this.#tally = options.tally;
    this.#prefix = options.prefix;
  }

  /** A name that no other run or call gets. */
  name(stem = "t"): string {
    this.#topics += 1;
    return `${this.#prefix}-${stem}-${this.#topics}`;
  }

  get versionMax(): number {
    return Math.max(...this.versions);
  }

  one<T>(of: readonly T[]): T {
    return of[this.random.integer(0, of.length - 1)] as T;
  }

  /** Goes on until the API has been compared `COMPARISONS_MIN` times, with the versions in turn. */
  async fill(round: (version: number) => Promise<void>): Promise<void> {
    for (let at = 0; this.#tally.compared(this.#apiKey) < COMPARISONS_MIN; at += 1)
      await round(this.versions[at % this.versions.length] as number);
  }

  /** A topic on both, ready to be used. */
  async topic(
    options: {
      readonly partitions?: number;
      readonly configs?: Readonly<Record<string, string>>;
      readonly name?: string;
    } = {},
  ): Promise<string> {
    const name = options.name ?? this.name();
    const configs = Object.entries(options.configs ?? {}).map(([key, value]) => ({
      name: key,
      value,
    }));
    const made = await this.pair.call(
      "make a topic",
      createTopicsApi,
      7,
      {
        topics: [
          {
            name,
            numPartitions: options.partitions ?? 1,
            replicationFactor: 1,
            assignments: [],
            configs,
          },
        ],
      },
      { uncounted: true },
    );
    for (const answer of [made.kafka, made.karst]) {
      const topic = answer?.topics[0];
      if (topic?.errorCode !== 0)
        throw new Error(`topic ${name} was not made: ${topic?.errorCode} ${topic?.errorMessage}`);
    }
    await this.untilKnown(name, options.partitions ?? 1);
    return name;
  }

  /** Kafka's brokers hear of a topic after its controller has answered. */
  async untilKnown(name: string, partitions: number): Promise<void> {
    for (let poll = 0; poll < TOPIC_POLLS_MAX; poll += 1) {
      const known = await this.pair.call(
        "wait for a topic",
        metadataApi,
        12,
        { topics: [{ name }], allowAutoTopicCreation: false },
        { uncounted: true },
      );
      const ready = [known.kafka, known.karst].every((answer) => {
        const topic = answer?.topics[0];
        return (
          topic?.errorCode === 0 &&
          topic.partitions.length === partitions &&
          topic.partitions.every(({ errorCode }) => errorCode === 0)
        );
      });
      if (ready && (await this.#led(name, partitions))) return;
      await this.pause();
    }
    throw new Error(`topic ${name} did not become known`);
  }

  /** Whether the partitions can be used: their leader hears of them last. */
  async #led(name: string, partitions: number): Promise<boolean> {
    const indexes = Array.from({ length: partitions }, (_, partitionIndex) => partitionIndex);
    const wanted = indexes.map((partitionIndex) => ({ partitionIndex, timestamp: -2 }));
    const ends = await this.pair.call(
      "wait for leaders",
      listOffsetsApi,
      6,
      { replicaId: -1, isolationLevel: 0, topics: [{ name, partitions: wanted }] },
      { uncounted: true },
    );
    return [ends.kafka, ends.karst].every((answer) =>
      answer?.topics[0]?.partitions.every(({ errorCode }) => errorCode === 0),
    );
  }

  /** Until both have forgotten the topic. */
  async untilUnknown(name: string): Promise<void> {
    for (let poll = 0; poll < TOPIC_POLLS_MAX; poll += 1) {
      const known = await this.pair.call(
        "wait for a deletion",
        metadataApi,
        12,
        { topics: [{ name }], allowAutoTopicCreation: false },
        { uncounted: true },
      );
      if ([known.kafka, known.karst].every((answer) => answer?.topics[0]?.errorCode !== 0)) return;
      await this.pause();
    }
    throw new Error(`topic ${name} is not forgotten`);
  }

  async pause(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Fields that exist from a version on. */
export function since<T extends object>(version: number, first: number, fields: T): Partial<T> {
  return version >= first ? fields : {};
}
