import type { SentBatch } from "./sent-batch.ts";

/**
 * One topic from its creation to its deletion. `making`: nobody knows whether it exists. `deleting`: from the first request to delete it
 * until it is gone.
 */
export type TopicState = "making" | "live" | "deleting" | "gone";

/** A topic, which no other topic of the same name has anything to do with. */
export class TopicModel {
  readonly name: string;
  /** Among the topics of its name, from 0. */
  readonly generation: number;
  readonly partitions: readonly PartitionModel[];
  state: TopicState = "making";
  /** Once it is known. */
  topicId: string | undefined;

  constructor(name: string, generation: number, partitions: number) {
    this.name = name;
    this.generation = generation;
    this.partitions = Array.from(
      { length: partitions },
      (_, index) => new PartitionModel(this, index),
    );
  }

  get isLive(): boolean {
    return this.state === "live";
  }
}

/** What all clients together know of one partition: never forgotten, whatever happens to the broker. */
export class PartitionModel {
  readonly topic: TopicModel;
  readonly index: number;
  /** By base offset: acknowledged there, or read there. */
  readonly batches: Map<number, SentBatch> = new Map();
  /** Greatest high watermark that was told, or follows from an acknowledgement. */
  highWatermark = 0;
  /** Greatest log start that was told. */
  logStart = 0;
  /** Greatest offset before which somebody has asked to trim. */
  trimAsked = 0;

  constructor(topic: TopicModel, index: number) {
    this.topic = topic;
    this.index = index;
  }

  get name(): string {
    return `${this.topic.name}#${this.topic.generation}/${this.index}`;
  }
}

/** The topics in the order of their first partitions. */
export function topicsOf<Entry extends { readonly partition: PartitionModel }>(
  entries: readonly Entry[],
): ReadonlyMap<TopicModel, readonly Entry[]> {
  const topics = new Map<TopicModel, Entry[]>();
  for (const entry of entries) {
    const those = topics.get(entry.partition.topic) ?? [];
    topics.set(entry.partition.topic, those);
    those.push(entry);
  }
  return topics;
}
