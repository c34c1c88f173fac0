import { coreError, type PartitionLog, type Topic } from "@karst/core";
import type { Appended, AppendOptions } from "../api/append.ts";
import type { CreateOptions } from "../api/topic.ts";
import type { RecordInput } from "../api/record.ts";
import type { EngineContext } from "../engine-context.ts";
import { karstError } from "../errors.ts";
import { BACKLOG_BYTES_MAX, PREPARE_TRIES_MAX, SHARED_BATCH_BYTES_MAX } from "../limits.ts";
import { BatchBuilders } from "./batch-builders.ts";
import { encodeRecord, type RecordCodecs } from "./encode-record.ts";
import { Lane } from "./lane.ts";
import type { BatchEncoding } from "./partition-appender.ts";
import { partitionOfKeys, StickyPartition } from "./partitioner.ts";
import { Submission } from "./submission.ts";

export interface TopicWriterOptions<ValueInput, KeyInput> extends CreateOptions {
  readonly autoCreate: boolean;
  readonly encoding: BatchEncoding;
  readonly codecs: RecordCodecs<ValueInput, KeyInput>;
}

/**
 * The appends of one topic handle.
 *
 * Invariants: while something waits in `#backlog`, later submissions queue behind it, so that each partition gets them in the order
 * of the calls; one pump runs while `#backlog` is not empty; `#backlogBytes` ≤ `BACKLOG_BYTES_MAX`, one submission apart; `#topic` is
 * forgotten by the end of the turn in which it was looked up.
 */
export class TopicWriter<ValueInput, KeyInput> {
  readonly #context: EngineContext;
  readonly #options: TopicWriterOptions<ValueInput, KeyInput>;
  readonly #sticky: StickyPartition;
  readonly #lanes = new Map<number, Lane>();
  readonly #builders = new BatchBuilders();
  #topic: Topic | undefined;
  #backlog: Submission[] = [];
  #backlogBytes = 0;

  constructor(context: EngineContext, options: TopicWriterOptions<ValueInput, KeyInput>) {
    this.#context = context;
    this.#options = options;
    this.#sticky = new StickyPartition(context.runtime.random.fork(`sticky/${this.name}`));
  }

  get name(): string {
    return this.#options.codecs.topic;
  }

  append(
    records: RecordInput<ValueInput, KeyInput> | readonly RecordInput<ValueInput, KeyInput>[],
    options: AppendOptions,
  ): Promise<Appended> {
    let submission: Submission;
    try {
      submission = this.encode(records, options);
    } catch (error) {
      return Promise.reject(error);
    }
    submission.watch(this.#context.begin());
    try {
      this.#submit(submission);
    } catch (error) {
      submission.reject(error as Error);
    }
    return submission.settled;
  }

  /**
   * What it borrows from the caller is the caller's again when the call returns: by then it is in a batch, or owned.
   *
   * @throws KarstError `INVALID_APPEND`, `ENCODING_FAILED` (`invalid`), `ENGINE_CLOSED` (`closed`).
   */
  encode(
    records: RecordInput<ValueInput, KeyInput> | readonly RecordInput<ValueInput, KeyInput>[],
    options: AppendOptions,
  ): Submission {
    this.#context.check();
    const nowMs = this.#context.runtime.clock.wallMs();
    const { codecs } = this.#options;
    const encoded = Array.isArray(records)
      ? (records as readonly RecordInput<ValueInput, KeyInput>[]).map((record) =>
          encodeRecord(record, codecs, nowMs),
        )
      : [encodeRecord(records as RecordInput<ValueInput, KeyInput>, codecs, nowMs)];
    return new Submission(encoded, options);
  }

  /**
   * The partition that a submission belongs to, if it is open.
   *
   * @throws KarstError `KEYS_DISAGREE` (`invalid`), `PARTITION_NOT_FOUND` (`not_found`).
   */
  open(submission: Submission): Lane | undefined {
    return this.#laneOf(submission, this.#topic) ?? this.#laneOf(submission, this.#lookUp());
  }

  /**
   * The same, made and opened where need be.
   *
   * @throws as `open`, and KarstError `TOPIC_NOT_FOUND` (`not_found`), `TOPIC_NOT_READY` (`unavailable`), and what creating the topic
   * and opening the stream throw.
   */
  async openOrMake(submission: Submission): Promise<Lane> {
    for (let tries = 0; tries < PREPARE_TRIES_MAX; tries += 1) {
      const lane = this.open(submission);
      if (lane !== undefined) return lane;
      const topic = this.#lookUp();
      if (topic !== undefined) {
        const partition = this.#partitionOf(submission, topic);
        await this.#context.topics.partition(topic.topicId, partition);
      } else if (this.#options.autoCreate) {
        await this.#context.topicOrCreate(this.name, this.#options);
      } else {
        this.#context.topic(this.name);
      }
    }
    throw karstError("TOPIC_NOT_READY", `topic "${this.name}" did not stay open`);
  }

  #submit(submission: Submission): void {
    if (this.#backlog.length === 0) {
      const lane = this.open(submission);
      if (lane !== undefined) {
        lane.push(submission);
        return;
      }
    } else if (this.#backlogBytes + submission.bytes > BACKLOG_BYTES_MAX) {
      throw karstError(
        "APPEND_BACKLOG_FULL",
        `${this.#backlogBytes} bytes wait for topic "${this.name}" to open, at most ${BACKLOG_BYTES_MAX} may`,
      );
    }
    submission.own();
    this.#backlog.push(submission);
    this.#backlogBytes += submission.bytes;
    if (this.#backlog.length > 1) return;
    const done = this.#context.begin();
    this.#pump().then(done, done);
  }

  async #pump(): Promise<void> {
    for (let head = this.#backlog[0]; head !== undefined; head = this.#backlog[0]) {
      try {
        const lane = this.open(head) ?? (await this.openOrMake(head));
        lane.push(head);
      } catch (error) {
        head.reject(error as Error);
      }
      this.#backlog.shift();
      this.#backlogBytes -= head.bytes;
    }
  }

  #lookUp(): Topic | undefined {
    if (this.#topic === undefined) queueMicrotask(this.#forget);
    this.#topic = this.#context.topics.byName(this.name);
    return this.#topic;
  }

  readonly #forget = (): void => {
    this.#topic = undefined;
  };

  /** Undefined where the partition is not open, or the topic not this one any more. */
  #laneOf(submission: Submission, topic: Topic | undefined): Lane | undefined {
    if (topic === undefined) return undefined;
    const partition = this.#partitionOf(submission, topic);
    const known = this.#lanes.get(partition);
    if (known?.isOpen(topic.topicId) === true) return known;
    const log = this.#context.topics.openPartition(topic.topicId, partition);
    return log === undefined || log.closed ? undefined : this.#begin(topic, log);
  }

  #partitionOf(submission: Submission, topic: Topic): number {
    if (submission.choice?.topicId !== topic.topicId) {
      submission.choice = { topicId: topic.topicId, partition: this.#choose(submission, topic) };
    }
    return submission.choice.partition;
  }

  #choose(submission: Submission, topic: Topic): number {
    const { partitions } = topic;
    if (submission.partition !== undefined) {
      if (submission.partition < partitions) return submission.partition;
      throw coreError(
        "PARTITION_NOT_FOUND",
        `topic "${topic.name}" has ${partitions} partitions, from 0; there is no ${submission.partition}`,
      );
    }
    return (
      partitionOfKeys(submission, partitions) ?? this.#sticky.choose(submission.bytes, partitions)
    );
  }

  #begin(topic: Topic, log: PartitionLog): Lane {
    const own = Number(topic.configs["max.message.bytes"] ?? Infinity);
    const sharedBytesMax = Math.min(
      own,
      this.#context.limits.batchBytesMax,
      SHARED_BATCH_BYTES_MAX,
    );
    const lane = new Lane(
      { topic: topic.name, log, sharedBytesMax, encoding: this.#options.encoding },
      this.#builders,
    );
    this.#lanes.set(log.partition, lane);
    return lane;
  }
}
