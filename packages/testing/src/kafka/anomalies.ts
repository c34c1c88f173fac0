import type { KafkaOperation, SendOperation } from "../checkers/kafka-history.ts";
import type { Ledger, Poll, Seek, Sighting } from "./ledger.ts";
import { type SentBatch, valueOf } from "./sent-batch.ts";
import type { PartitionModel } from "./topic-model.ts";

/** Every copy of a value has a number of its own, so that each stands for one time that it was sent. */
const COPIES = 100_000_000;

/** What was sent and polled, as the checker of anomalies wants it. Each time that a batch without a sequence was sent is a send. */
export function historyOf({ batches, polls }: Ledger): KafkaOperation[] {
  const history: KafkaOperation[] = [];
  for (const batch of batches.values()) history.push(...sendsOf(batch));
  for (const poll of polls) history.push(operationOf(poll));
  return history;
}

function sendsOf(batch: SentBatch): SendOperation[] {
  const { sequence, partition, attempts } = batch;
  const places = placesOf(batch);
  if (sequence !== undefined && places.every((place) => place.partition === partition)) {
    const acknowledged = attempts.find(({ outcome }) => outcome.tag === "acknowledged");
    const refused = attempts.every(({ outcome }) => outcome.tag === "refused");
    return [
      {
        kind: "send",
        producer: `${sequence.producerId} ${partition.name}`,
        partition: partition.name,
        values: valuesOf(batch, 0),
        outcome:
          acknowledged?.outcome.tag === "acknowledged"
            ? { tag: "ok", baseOffset: acknowledged.outcome.baseOffset }
            : { tag: refused ? "failed" : "unknown" },
      },
    ];
  }
  // Who sends it again may put it behind what was sent after it: each time it has another name.
  const told = new Map<string, number>();
  for (const { outcome } of attempts)
    if (outcome.tag === "acknowledged")
      told.set(keyOf(partition, outcome.baseOffset), outcome.baseOffset);
  return places.map((place, copy) => {
    const baseOffset = told.get(keyOf(place.partition, place.baseOffset));
    return {
      kind: "send",
      producer: `batch ${batch.id}, copy ${copy}`,
      partition: place.partition.name,
      values: valuesOf(batch, copy),
      outcome: baseOffset === undefined ? { tag: "unknown" } : { tag: "ok", baseOffset },
    };
  });
}

function operationOf(event: Poll | Seek): KafkaOperation {
  const { partition } = event;
  const consumer = `${event.consumer} ${partition.name}`;
  if (event.kind === "seek")
    return {
      kind: "seek",
      consumer,
      positions: [{ partition: partition.name, offset: event.offset }],
    };
  return {
    kind: "poll",
    consumer,
    partitions: [
      {
        partition: partition.name,
        records: event.seen
          .flatMap((sighting) => recordsOf(partition, sighting))
          .filter(({ offset }) => offset >= event.position),
        highWatermark: event.highWatermark,
        ...(event.logStart >= 0 && { logStartOffset: event.logStart }),
      },
    ],
  };
}

function recordsOf(
  partition: PartitionModel,
  { baseOffset, batch }: Sighting,
): readonly { readonly offset: number; readonly value: number }[] {
  const copy = placesOf(batch).findIndex(
    (place) => place.partition === partition && place.baseOffset === baseOffset,
  );
  return valuesOf(batch, copy).map((value, i) => ({ offset: baseOffset + i, value }));
}

function valuesOf({ id, count }: SentBatch, copy: number): number[] {
  return Array.from({ length: count }, (_, i) => copy * COPIES + valueOf(id, i));
}

interface Place {
  readonly partition: PartitionModel;
  readonly baseOffset: number;
}

/** In the order in which they became known. */
function placesOf({ places }: SentBatch): Place[] {
  return [...places].flatMap(([partition, offsets]) =>
    [...offsets].map((baseOffset) => ({ partition, baseOffset })),
  );
}

function keyOf(partition: PartitionModel, baseOffset: number): string {
  return `${partition.name} ${baseOffset}`;
}
