import { randomInteger } from "@karst/runtime";
import { SeededRandom } from "@karst/runtime/testing";
import type {
  CompleteRead,
  KafkaOperation,
  PolledPartition,
} from "../../src/checkers/kafka-history.ts";
import type { SequencedBatch } from "../../src/checkers/sequence-audit.ts";

interface StoredRecord {
  readonly offset: number;
  readonly value: number;
}

/** A partition as it should be. */
export interface SimulatedPartition {
  readonly partition: number;
  readonly records: StoredRecord[];
  end: number;
  start: number;
}

/** Producers and consumers of partitions that are right, and what they saw. */
export class SimulatedKafka {
  readonly operations: KafkaOperation[] = [];
  readonly partitions: readonly SimulatedPartition[];
  readonly batches: SequencedBatch[] = [];
  /** All partitions, read to their ends. */
  complete: readonly CompleteRead[] = [];
  minted = 0;
  readonly #random: SeededRandom;
  readonly #positions = new Map<string, number>();
  readonly #sequences = new Map<string, { epoch: number; next: number }>();

  constructor(seed: number | string, partitions: number) {
    this.#random = new SeededRandom(seed);
    this.partitions = Array.from({ length: partitions }, (_, partition) => ({
      partition,
      records: [],
      end: 0,
      start: 0,
    }));
  }

  run(operations: number): this {
    while (this.operations.length < operations) {
      const partition = this.#pick();
      const choice = this.#integer(0, 99);
      if (choice < 50) this.send(partition, `producer ${this.#integer(0, 2)}`);
      else if (choice < 90) this.poll(`consumer ${this.#integer(0, 2)}`);
      else if (choice < 95) this.#seek(`consumer ${this.#integer(0, 2)}`);
      else if (choice < 97) partition.start = this.#integer(partition.start, partition.end);
      // A marker, or a value that compaction has taken: an offset without a value.
      else partition.end += 1;
    }
    return this.readAll();
  }

  /** From the start to the end, by a new consumer. */
  readAll(): this {
    const consumer = `reader ${this.operations.length}`;
    this.complete = this.partitions.map(({ partition, start }) => ({ partition, from: start }));
    const positions = this.partitions.map(({ partition, start }) => ({ partition, offset: start }));
    this.operations.push({ kind: "seek", consumer, positions });
    const partitions = this.partitions.map((one) => this.#polled(one, one.start, Infinity));
    this.operations.push({ kind: "poll", consumer, partitions });
    return this;
  }

  send(partition: SimulatedPartition, producer: string): void {
    const values = Array.from({ length: this.#integer(1, 4) }, () => (this.minted += 1));
    const choice = this.#integer(0, 9);
    const begun = { kind: "send", producer, partition: partition.partition, values } as const;
    const baseOffset = partition.end;
    if (choice !== 0 && choice !== 1) this.#append(partition, producer, values);
    if (choice === 0) this.operations.push({ ...begun, outcome: { tag: "failed" } });
    else if (choice < 3) this.operations.push({ ...begun, outcome: { tag: "unknown" } });
    else this.operations.push({ ...begun, outcome: { tag: "ok", baseOffset } });
  }

  poll(consumer: string): void {
    const partitions: PolledPartition[] = [];
    for (const partition of this.partitions) {
      if (this.#integer(0, 2) === 0) continue;
      const key = `${consumer}/${partition.partition}`;
      const from = Math.max(this.#positions.get(key) ?? 0, partition.start);
      const polled = this.#polled(partition, from, this.#integer(0, 6));
      this.#positions.set(key, (polled.records.at(-1)?.offset ?? from - 1) + 1);
      partitions.push(polled);
    }
    this.operations.push({ kind: "poll", consumer, partitions });
  }

  #seek(consumer: string): void {
    const positions = this.partitions.map(({ partition, start, end }) => {
      const offset = this.#integer(start, end);
      this.#positions.set(`${consumer}/${partition}`, offset);
      return { partition, offset: this.#integer(0, 1) === 0 ? offset : undefined };
    });
    this.operations.push({ kind: "seek", consumer, positions });
  }

  #polled(partition: SimulatedPartition, from: number, countMax: number): PolledPartition {
    const { start, end } = partition;
    const records = partition.records.filter(({ offset }) => offset >= from).slice(0, countMax);
    const which = { partition: partition.partition, records };
    return { ...which, highWatermark: end, logStartOffset: start };
  }

  #append(partition: SimulatedPartition, producer: string, values: readonly number[]): void {
    const producerId = Number(producer.split(" ")[1]);
    const key = `${producerId}/${partition.partition}`;
    let sequence = this.#sequences.get(key);
    if (sequence === undefined || this.#integer(0, 30) === 0) {
      sequence = { epoch: (sequence?.epoch ?? -1) + 1, next: 0 };
      this.#sequences.set(key, sequence);
    }
    this.batches.push({
      partition: partition.partition,
      baseOffset: partition.end,
      producerId,
      producerEpoch: sequence.epoch,
      baseSequence: sequence.next,
      count: values.length,
    });
    sequence.next += values.length;
    for (const value of values) {
      partition.records.push({ offset: partition.end, value });
      partition.end += 1;
    }
  }

  #pick(): SimulatedPartition {
    return this.partitions[this.#integer(0, this.partitions.length - 1)] as SimulatedPartition;
  }

  #integer(min: number, max: number): number {
    return randomInteger(this.#random, min, max);
  }
}
