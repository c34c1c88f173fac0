import type { PartitionLog } from "../partition/partition-log.ts";

/** A named set of partitions. A snapshot: fetch it again to see changes. */
export interface Topic {
  /** 128 random bits in lower-case hex: 32 characters. Never reused, also not by a topic of the same name. */
  readonly topicId: string;
  readonly name: string;
  /** Partitions are 0 … partitions − 1. */
  readonly partitions: number;
  /** What was set explicitly; `topicSettings(topic.configs)` has every default. */
  readonly configs: TopicConfigs;
  readonly createdMs: number;
}

/** Kafka's topic configurations by name, as text: `{ "max.message.bytes": "1048588" }`. */
export type TopicConfigs = Readonly<Record<string, string>>;

export interface CreateTopicOptions {
  /** 1..249 of `[a-zA-Z0-9._-]`, not "." or "..", and equal to no other name once "." and "_" are the same. */
  readonly name: string;
  /** 1..limits.partitionsPerTopicMax. */
  readonly partitions: number;
  readonly configs?: TopicConfigs;
}

/** Producer ids [first, first + count), given to nobody else, ever. */
export interface ProducerIdBlock {
  readonly first: number;
  readonly count: number;
}

/**
 * Topics of a root, and the open partitions of this node. Look-ups read the catalogue's local image, which may be older than what other
 * nodes have done; what `create`, `delete` and `partition` refuse they have looked up in the newest.
 */
export interface Topics {
  /** In order of name. */
  list(): readonly Topic[];
  byName(name: string): Topic | undefined;
  byId(topicId: string): Topic | undefined;

  /**
   * Creates a topic with empty partitions; one commit.
   *
   * @throws KarstError `INVALID_TOPIC_NAME` (also where it collides with another's), `INVALID_PARTITIONS`, `INVALID_CONFIG`,
   * `TOO_MANY_TOPICS` (`invalid`); `TOPIC_EXISTS` (`conflict`); `CATALOGUE_BUSY` (`unavailable`): nothing happened;
   * `COMMIT_UNKNOWN` (`indeterminate`).
   */
  create(options: CreateTopicOptions): Promise<Topic>;
  /** Throws what `create` would throw by the local image, and changes nothing. */
  validate(options: CreateTopicOptions): void;
  /**
   * Removes a topic and its partitions; one commit. Open partitions end after their appends have settled.
   *
   * @throws KarstError `TOPIC_NOT_FOUND` (`not_found`), `CATALOGUE_BUSY` (`unavailable`), `COMMIT_UNKNOWN` (`indeterminate`).
   */
  delete(topicId: string): Promise<void>;

  /**
   * The open partition: opened by the first call, the same handle for everyone. Safe under concurrent calls; a failed open is tried
   * again by the next call.
   *
   * @throws KarstError `TOPIC_NOT_FOUND`, `PARTITION_NOT_FOUND` (`not_found`), `TOPICS_CLOSED` (`closed`), and what
   * `Engine.openStream` throws.
   */
  partition(topicId: string, index: number): Promise<PartitionLog>;
  /** The partition if it is open now, without waiting. */
  openPartition(topicId: string, index: number): PartitionLog | undefined;

  /** A fresh block from the catalogue: one commit. @throws KarstError `CATALOGUE_BUSY` (`unavailable`): no block was got. */
  allocateProducerIds(): Promise<ProducerIdBlock>;
  /** One producer id, from a block held here. Ids that are left when the process ends are lost, which is harmless. */
  nextProducerId(): Promise<number>;

  /** Closes every open partition. The engine stays open. */
  close(): Promise<void>;
}
