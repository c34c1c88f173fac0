import assert from "node:assert/strict";
import { LogBook } from "./log-book.ts";
import { type Level, PARTITIONS, type ProducerPlan, type Report } from "./protocol.ts";

const PRODUCERS = 4;

/** What a run went through: one that crossed nothing has shown nothing. */
export interface Crossed {
  readonly segmentRolls: number;
  readonly uploads: number;
  readonly walTrims: number;
  readonly trims: number;
}

/** One directory's history, kept outside of every process that is killed, and compared with what each of them finds. */
export class Book {
  readonly #logs: readonly LogBook[];
  readonly #producers: {
    readonly partition: number;
    id: number | undefined;
    nextSequence: number;
  }[];
  readonly #partitionOf = new Map<number, number>();
  readonly #events = new Map<string, number>();
  #nextId = 1;
  #seenAll = 0;
  #failure: string | undefined;

  constructor(level: Level) {
    this.#logs = Array.from({ length: PARTITIONS }, (_, p) => new LogBook(`partition ${p}`));
    const producers = level === "topic" ? 0 : PRODUCERS;
    this.#producers = Array.from({ length: producers }, (_, i) => ({
      partition: i % PARTITIONS,
      id: undefined,
      nextSequence: 0,
    }));
  }

  get checkedOperations(): number {
    return this.#logs.reduce((sum, log) => sum + log.checkedOperations, 0);
  }

  get inFlight(): number {
    return this.#logs.reduce((sum, log) => sum + log.inFlight, 0);
  }

  get nextId(): number {
    return this.#nextId;
  }

  /** Whether the present life has read back everything. */
  get complete(): boolean {
    return this.#seenAll === PARTITIONS;
  }

  /** Why the present life's engine failed. */
  get failure(): string | undefined {
    return this.#failure;
  }

  get crossed(): Crossed {
    const count = (name: string): number => this.#events.get(name) ?? 0;
    return {
      segmentRolls: count("wal-segment-rolled"),
      uploads: count("upload-published"),
      walTrims: count("wal-trimmed"),
      trims: count("trimmed"),
    };
  }

  producers(): ProducerPlan[] {
    return this.#producers.map(({ partition, id: producerId, nextSequence }, index) => {
      const unanswered = this.#log(partition).unanswered(index);
      return { index, partition, producerId, nextSequence, unanswered };
    });
  }

  /** @throws AssertionError where it contradicts what was promised. */
  note(report: Report): void {
    switch (report.tag) {
      case "opened":
        for (const [partition, bounds] of report.partitions.entries())
          this.#log(partition).opened(bounds);
        return;
      case "seen":
        this.#log(report.partition).seen(report.records);
        return;
      case "seen-all":
        this.#log(report.partition).seenAll();
        this.#seenAll += 1;
        return;
      case "producer":
        this.#producer(report.index).id = report.producerId;
        return;
      case "tries":
        for (const each of report.tries) {
          const { firstId, count, partition, producer } = each;
          this.#nextId = Math.max(this.#nextId, firstId + count);
          this.#partitionOf.set(firstId, partition);
          this.#log(partition).tried(each);
          if (producer === undefined) continue;
          const state = this.#producer(producer.index);
          state.nextSequence = Math.max(state.nextSequence, producer.sequence + count);
        }
        return;
      case "acks":
        for (const [firstId, offset] of report.acks)
          this.#logOf(firstId).acknowledged(firstId, offset);
        return;
      case "refused":
        this.#logOf(report.firstId).refused(report.firstId);
        return;
      case "trim":
        this.#log(report.partition).trimming(report.before);
        return;
      case "trimmed":
        this.#count("trimmed");
        this.#log(report.partition).trimmed(report.before);
        return;
      case "event":
        this.#count(report.name);
        return;
      case "failed":
        this.#failure = report.reason;
        return;
      case "ready":
      case "closed":
        return;
    }
  }

  died(): void {
    for (const log of this.#logs) log.died();
    this.#partitionOf.clear();
    this.#seenAll = 0;
    this.#failure = undefined;
  }

  #count(name: string): void {
    this.#events.set(name, (this.#events.get(name) ?? 0) + 1);
  }

  #log(partition: number): LogBook {
    const log = this.#logs[partition];
    assert.ok(log !== undefined, `there is no partition ${partition}`);
    return log;
  }

  #logOf(firstId: number): LogBook {
    const partition = this.#partitionOf.get(firstId);
    assert.ok(partition !== undefined, `nobody tried ${firstId}`);
    return this.#log(partition);
  }

  #producer(index: number): { id: number | undefined; nextSequence: number } {
    const producer = this.#producers[index];
    assert.ok(producer !== undefined, `there is no producer ${index}`);
    return producer;
  }
}
