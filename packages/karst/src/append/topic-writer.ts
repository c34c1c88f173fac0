import { coreError, type PartitionLog, type Topic } from "@karst/core";
import type { Appended, AppendOptions, CreateOptions } from "../api/topic.ts";
import type { RecordInput } from "../api/record.ts";
import type { EngineContext } from "../engine-context.ts";
import { karstError } from "../errors.ts";
import { BACKLOG_BYTES_MAX, PREPARE_TRIES_MAX } from "../limits.ts";
import { encodeRecord, type RecordCodecs } from "./encode-record.ts";
import { Lane } from "./lane.ts";
import { partitionOfKeys, StickyPartition } from "./partitioner.ts";
import { Submission } from "./submission.ts";

export interface TopicWriterOptions<ValueInput, KeyInput> extends CreateOptions {
  readonly autoCreate: boolean;
  readonly codecs: RecordCodecs<ValueInput, KeyInput>;
}

/** Where a submission goes: a partition that is open, or one that has to be opened, or created, first. */
type Place =
  | { readonly tag: "open"; readonly lane: Lane }
  | { readonly tag: "closed"; readonly topicId: string; readonly partition: number }
  | { readonly tag: "missing" };

/**
 * The appends of one topic handle.
 *
 * Invariants: while something waits in `#backlog`, later submissions queue behind it, so that each partition gets them in the order
 * of the calls; one pump runs while `#backlog` is not empty; `#backlogBytes` ≤ `BACKLOG_BYTES_MAX`, one submission apart.
 */
export class TopicWriter<ValueInput, KeyInput> {
  readonly #context: EngineContext;
  readonly #options: TopicWriterOptions<ValueInput, KeyInput>;
  readonly #sticky: StickyPartition;
  readonly #lanes = new Map<number, Lane>();
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

  /** @throws KarstError `INVALID_APPEND`, `ENCODING_FAILED` (`invalid`), `ENGINE_CLOSED` (`closed`). */
  encode(
    records: RecordInput<ValueInput, KeyInput> | readonly RecordInput<ValueInput, KeyInput>[],
    options: AppendOptions,
  ): Submission {
    this.#context.check();
    const nowMs = this.#context.runtime.clock.wallMs();
    const list = Array.isArray(records)
      ? (records as readonly RecordInput<ValueInput, KeyInput>[])
      : [records as RecordInput<ValueInput, KeyInput>];
    const { codecs } = this.#options;
    return new Submission(
      list.map((record) => encodeRecord(record, codecs, nowMs)),
      options,
    );
  }

  /**
   * The partition that a submission belongs to, if it is open.
   *
   * @throws KarstError `KEYS_DISAGREE` (`invalid`), `PARTITION_NOT_FOUND` (`not_found`).
   */
  open(submission: Submission): Lane | undefined {
    const place = this.#place(submission);
    return place.tag === "open" ? place.lane : undefined;
  }

  /**
   * The same, made and opened where need be.
   *
   * @throws as `open`, and KarstError `TOPIC_NOT_FOUND` (`not_found`), `TOPIC_NOT_READY` (`unavailable`), and what creating the topic
   * and opening the stream throw.
   */
  async openOrMake(submission: Submission): Promise<Lane> {
    for (let tries = 0; tries < PREPARE_TRIES_MAX; tries += 1) {
      const place = this.#place(submission);
      switch (place.tag) {
        case "open":
          return place.lane;
        case "closed":
          await this.#context.topics.partition(place.topicId, place.partition);
          break;
        case "missing":
          if (!this.#options.autoCreate) this.#context.topic(this.name);
          await this.#context.topicOrCreate(this.name, this.#options);
          break;
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

  #place(submission: Submission): Place {
    const topic = this.#context.topics.byName(this.name);
    if (topic === undefined) return { tag: "missing" };
    if (submission.choice?.topicId !== topic.topicId) {
      submission.choice = { topicId: topic.topicId, partition: this.#choose(submission, topic) };
    }
    const { partition } = submission.choice;
    const log = this.#context.topics.openPartition(topic.topicId, partition);
    if (log === undefined || log.closed) {
      return { tag: "closed", topicId: topic.topicId, partition };
    }
    return { tag: "open", lane: this.#lane(topic, log) };
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

  #lane(topic: Topic, log: PartitionLog): Lane {
    const open = this.#lanes.get(log.partition);
    if (open?.target.log === log) return open;
    const own = Number(topic.configs["max.message.bytes"] ?? Infinity);
    const batchBytesMax = Math.min(own, this.#context.limits.batchBytesMax);
    const lane = new Lane({ topic: topic.name, log, batchBytesMax });
    this.#lanes.set(log.partition, lane);
    return lane;
  }
}
