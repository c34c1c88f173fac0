import type { Catalogue, Revision } from "../catalogue/catalogue.ts";
import { counterRow } from "../catalogue/rows/counter-row.ts";
import { type TopicRow, topicRow } from "../catalogue/rows/topic-row.ts";
import { foldedName } from "./topic-name.ts";
import type { Topic } from "./topics.ts";

/** A topic and the streams behind it. */
export interface IndexedTopic {
  readonly topic: Topic;
  /** Stream id of each partition. */
  readonly streams: readonly number[];
  /** Of the topic's row. */
  readonly revision: Revision;
}

/**
 * The topics of the catalogue's image by id and by name.
 *
 * Invariant: whoever creates, changes or deletes a topic raises the counter `topics` in the same commit, so that the index
 * stands for the image exactly while that row has the revision under which the index was built.
 */
export class TopicIndex {
  readonly #catalogue: Catalogue;
  #revision: Revision | undefined;
  #built = false;
  readonly #byId = new Map<string, IndexedTopic>();
  readonly #byName = new Map<string, IndexedTopic>();
  readonly #byFoldedName = new Map<string, IndexedTopic>();

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
  }

  get size(): number {
    this.#refresh();
    return this.#byId.size;
  }

  /** In order of name. */
  list(): IndexedTopic[] {
    this.#refresh();
    return [...this.#byId.values()].toSorted((a, b) => (a.topic.name < b.topic.name ? -1 : 1));
  }

  byId(topicId: string): IndexedTopic | undefined {
    this.#refresh();
    return this.#byId.get(topicId);
  }

  byName(name: string): IndexedTopic | undefined {
    this.#refresh();
    return this.#byName.get(name);
  }

  /** A topic whose name collides with `name`, or is the same. */
  colliding(name: string): IndexedTopic | undefined {
    this.#refresh();
    return this.#byFoldedName.get(foldedName(name));
  }

  /**
   * Takes over the one change of this process's own commit, which spares reading every row again. `before`: the counter's revision
   * that the commit required.
   */
  follow(topicId: string, before: Revision | undefined): void {
    if (!this.#built || this.#revision !== before) return;
    const known = this.#byId.get(topicId);
    if (known !== undefined) this.#remove(known);
    const row = topicRow.get(this.#catalogue, topicId);
    if (row !== undefined) this.#add(topicId, row.value, row.revision);
    this.#revision = this.#counterRevision();
  }

  #refresh(): void {
    const revision = this.#counterRevision();
    if (this.#built && revision === this.#revision) return;
    this.#byId.clear();
    this.#byName.clear();
    this.#byFoldedName.clear();
    for (const row of topicRow.scan(this.#catalogue)) this.#add(row.id, row.value, row.revision);
    this.#revision = revision;
    this.#built = true;
  }

  #counterRevision(): Revision | undefined {
    return this.#catalogue.get(counterRow.key("topics"))?.revision;
  }

  #add(topicId: string, row: TopicRow, revision: Revision): void {
    const { name, partitions, configs, createdMs } = row;
    const topic: Topic = {
      topicId,
      name,
      partitions: partitions.length,
      configs: Object.fromEntries(configs),
      createdMs,
    };
    const indexed = { topic, streams: partitions, revision };
    this.#byId.set(topicId, indexed);
    this.#byName.set(name, indexed);
    this.#byFoldedName.set(foldedName(name), indexed);
  }

  #remove({ topic }: IndexedTopic): void {
    this.#byId.delete(topic.topicId);
    this.#byName.delete(topic.name);
    this.#byFoldedName.delete(foldedName(topic.name));
  }
}
