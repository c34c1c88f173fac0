import type { AnomalyList } from "./anomaly-list.ts";
import type {
  KafkaAnomalyKind,
  KafkaOperation,
  PolledPartition,
  PollOperation,
  SeekOperation,
} from "./kafka-history.ts";
import { type KnownPartition, type KnownPartitions, leavesOut } from "./kafka-partitions.ts";

/** Where one consumer is in one partition. */
interface Position {
  /** Offset before the next that is wanted; undefined: it may go on anywhere. */
  before: number | undefined;
  /** What moved it there. */
  by: KafkaOperation;
  highWatermark: number;
  logStartOffset: number;
}

/** Whether each consumer was shown every partition in order, from where it was, below the watermark. */
export function checkPolls(
  operations: readonly KafkaOperation[],
  known: KnownPartitions,
  anomalies: AnomalyList,
): void {
  const consumers = new Map<number | string, Consumer>();
  for (const operation of operations) {
    if (operation.kind === "send") continue;
    let consumer = consumers.get(operation.consumer);
    if (consumer === undefined) {
      consumer = new Consumer(known, anomalies);
      consumers.set(operation.consumer, consumer);
    }
    if (operation.kind === "seek") consumer.seek(operation);
    else for (const polled of operation.partitions) consumer.poll(operation, polled);
  }
}

class Consumer {
  readonly #known: KnownPartitions;
  readonly #anomalies: AnomalyList;
  readonly #positions = new Map<number | string, Position>();

  constructor(known: KnownPartitions, anomalies: AnomalyList) {
    this.#known = known;
    this.#anomalies = anomalies;
  }

  seek(seek: SeekOperation): void {
    for (const position of this.#positions.values()) position.before = undefined;
    for (const { partition, offset } of seek.positions) {
      const position = this.#positionOf(partition, seek);
      position.before = offset === undefined ? undefined : offset - 1;
      position.by = seek;
    }
  }

  poll(poll: PollOperation, polled: PolledPartition): void {
    const position = this.#positionOf(polled.partition, poll);
    this.#checkBounds(poll, polled, position);
    const partition = this.#known.byPartition.get(polled.partition) as KnownPartition;
    const start = polled.logStartOffset ?? 0;
    let { before } = position;
    let inside = false;
    for (const { offset } of polled.records) {
      const operations = inside || position.by === poll ? [poll] : [position.by, poll];
      const add = (kind: KafkaAnomalyKind): void =>
        this.#add(kind, polled, operations, `${before}, then ${offset}`);
      if (before !== undefined && offset <= before)
        add(inside ? "int-nonmonotonic-poll" : "nonmonotonic-poll");
      else if (before !== undefined && leavesOut(partition, before, offset, start))
        add(inside ? "int-poll-skip" : "poll-skip");
      before = offset;
      inside = true;
    }
    position.before = before;
    if (inside) position.by = poll;
  }

  #checkBounds(poll: PollOperation, polled: PolledPartition, position: Position): void {
    const { records, highWatermark, logStartOffset } = polled;
    if (highWatermark !== undefined) {
      if (highWatermark < position.highWatermark)
        this.#add(
          "watermark-regressed",
          polled,
          [poll],
          `${position.highWatermark}, then ${highWatermark}`,
        );
      position.highWatermark = highWatermark;
      for (const { offset } of records)
        if (offset >= highWatermark)
          this.#add("above-watermark", polled, [poll], `${offset}, watermark ${highWatermark}`);
    }
    if (logStartOffset !== undefined) {
      if (logStartOffset < position.logStartOffset)
        this.#add(
          "start-regressed",
          polled,
          [poll],
          `${position.logStartOffset}, then ${logStartOffset}`,
        );
      position.logStartOffset = logStartOffset;
    }
  }

  #positionOf(partition: number | string, by: KafkaOperation): Position {
    const known = this.#positions.get(partition);
    if (known !== undefined) return known;
    const position: Position = { before: undefined, by, highWatermark: 0, logStartOffset: 0 };
    this.#positions.set(partition, position);
    return position;
  }

  #add(
    kind: KafkaAnomalyKind,
    { partition }: PolledPartition,
    operations: readonly KafkaOperation[],
    detail: string,
  ): void {
    this.#anomalies.add({ kind, partition, operations, detail });
  }
}
