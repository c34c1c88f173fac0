import { type Catalogue, topicRow } from "@karst/core";
import type { Random } from "@karst/runtime";
import type { Invariants } from "../world/invariants.ts";
import type { Sometimes } from "../world/sometimes.ts";
import { ClusterLog, type KnownTopic } from "./cluster-log.ts";

/** Producer ids of the clients: above all that the catalogue gives out in a run. */
const CLIENT_IDS = 1_000_000;

/**
 * Every topic that there ever was.
 *
 * Invariants: ids of topics and streams are never used again; what is deleted does not come back; of the topics that are there no
 * two have one name.
 */
export class TopicBook {
  readonly #topics = new Map<string, KnownTopic>();
  readonly #streamIds = new Set<number>();
  readonly #invariants: Invariants;
  readonly #sometimes: Sometimes;
  readonly #random: Random;

  constructor(invariants: Invariants, sometimes: Sometimes, random: Random) {
    this.#invariants = invariants;
    this.#sometimes = sometimes;
    this.#random = random;
  }

  get all(): readonly KnownTopic[] {
    return [...this.#topics.values()];
  }

  /** Partitions that are there, as far as is known. */
  get logs(): readonly ClusterLog[] {
    return this.all.filter(({ state }) => state === "there").flatMap(({ logs }) => logs);
  }

  has(topicId: string): boolean {
    return this.#topics.has(topicId);
  }

  /** Takes note of what a catalogue shows. @returns the topics that are gone since the last time. */
  learn(catalogue: Catalogue): readonly KnownTopic[] {
    const names = new Set<string>();
    const ids = new Set<string>();
    for (const { id, value } of topicRow.scan(catalogue)) {
      const { name, partitions } = value;
      this.#invariants.check("F1", !names.has(name), () => `two topics have the name ${name}`);
      names.add(name);
      ids.add(id);
      const { state } = this.#topics.get(id) ?? this.#add(id, name, partitions);
      this.#invariants.check(
        "W6",
        state !== "deleted",
        () => `topic ${id} was deleted, and is back`,
      );
    }
    const gone = this.all.filter(({ topicId, state }) => !ids.has(topicId) && state !== "deleted");
    for (const topic of gone) {
      this.#invariants.check("O1", topic.state === "deleting", () => `${topic.topicId} is gone`);
      topic.state = "deleted";
      this.#sometimes.add("topic-deleted");
    }
    return gone;
  }

  #add(topicId: string, name: string, streams: readonly number[]): KnownTopic {
    if (this.all.some((topic) => topic.name === name)) this.#sometimes.add("topic-created-again");
    const logs: ClusterLog[] = [];
    const topic: KnownTopic = { topicId, name, logs, state: "there" };
    for (const [index, streamId] of streams.entries()) {
      this.#invariants.check("O6", !this.#streamIds.has(streamId), `stream ${streamId} again`);
      this.#streamIds.add(streamId);
      const parts = { streamId, producerId: CLIENT_IDS + streamId };
      logs.push(
        new ClusterLog(topic, index, {
          ...parts,
          invariants: this.#invariants,
          random: this.#random,
        }),
      );
    }
    this.#topics.set(topicId, topic);
    return topic;
  }
}
