import type { Engine } from "../engine.ts";
import { coreError } from "../errors.ts";
import type { PartitionLog } from "../partition/partition-log.ts";
import { PartitionState } from "../partition/partition-state.ts";
import { StreamPartitionLog } from "../partition/stream-partition-log.ts";
import type { IndexedTopic } from "./topic-index.ts";
import { topicSettings } from "./topic-settings.ts";

interface Slot {
  readonly opening: Promise<PartitionLog>;
  /** Once it is open. */
  log: PartitionLog | undefined;
}

/**
 * The partitions that are open on this node.
 *
 * Invariant: one slot per open or opening partition; a partition whose opening failed, or whose topic was closed meanwhile, has none.
 */
export class OpenPartitions {
  readonly #engine: Engine;
  /** By topic, then by partition. */
  readonly #topics = new Map<string, Map<number, Slot>>();
  #closed = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** undefined: it is not open, or was closed. */
  get(topicId: string, index: number): PartitionLog | undefined {
    const log = this.#topics.get(topicId)?.get(index)?.log;
    return log?.closed === true ? undefined : log;
  }

  /** @throws KarstError `PARTITION_NOT_FOUND` (`not_found`), `TOPICS_CLOSED` (`closed`), and what `Engine.openStream` throws. */
  open(indexed: IndexedTopic, index: number): Promise<PartitionLog> {
    if (this.#closed) return Promise.reject(coreError("TOPICS_CLOSED", "the topics are closed"));
    const { topicId, name } = indexed.topic;
    const streamId = indexed.streams[index];
    if (streamId === undefined) {
      const count = indexed.streams.length;
      return Promise.reject(
        coreError(
          "PARTITION_NOT_FOUND",
          `topic ${name} has ${count} partitions, not one numbered ${index}`,
        ),
      );
    }
    const slots = this.#topics.get(topicId) ?? new Map<number, Slot>();
    this.#topics.set(topicId, slots);
    const known = slots.get(index);
    if (known !== undefined && known.log?.closed !== true) return known.opening;
    const slot: Slot = {
      opening: this.#openLog({
        indexed,
        index,
        streamId,
        wanted: () => slots.get(index) === slot,
        before: known?.log,
      }),
      log: undefined,
    };
    slots.set(index, slot);
    slot.opening.then(
      (log) => {
        slot.log = log;
      },
      () => {
        if (slots.get(index) === slot) slots.delete(index);
      },
    );
    return slot.opening;
  }

  /** Closes the partitions of a topic. Those that are just being opened end as soon as they are. */
  async closeTopic(topicId: string): Promise<void> {
    const slots = this.#topics.get(topicId);
    if (slots === undefined) return;
    this.#topics.delete(topicId);
    const closing = [...slots.values()].map(async (slot) => {
      const log = slot.log ?? (await slot.opening.catch(() => undefined));
      await log?.close();
    });
    slots.clear();
    await Promise.all(closing);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#topics.keys()].map((topicId) => this.closeTopic(topicId)));
  }

  async #openLog(options: {
    readonly indexed: IndexedTopic;
    readonly index: number;
    readonly streamId: number;
    readonly wanted: () => boolean;
    /** The partition's closed log. */
    readonly before: PartitionLog | undefined;
  }): Promise<PartitionLog> {
    const { indexed, index, streamId, wanted, before } = options;
    await before?.close();
    const { limits, runtime } = this.#engine;
    const { topicId, name, configs } = indexed.topic;
    const state = new PartitionState({ limits, clock: runtime.clock });
    const stream = await this.#engine.openStream(streamId, state);
    // The topic may have been deleted, or everything closed, while the stream was opened.
    if (!wanted()) {
      await stream.close();
      throw this.#closed
        ? coreError("TOPICS_CLOSED", "the topics are closed")
        : coreError("TOPIC_NOT_FOUND", `topic ${name} is deleted`);
    }
    const settings = topicSettings(configs);
    return new StreamPartitionLog({
      topicId,
      partition: index,
      settings,
      stream,
      state,
      limits,
      clock: runtime.clock,
    });
  }
}
