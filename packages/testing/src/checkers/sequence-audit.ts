import { readBatchHeader } from "@karst/records";

/** Sequences count modulo this: after the greatest int32 comes 0. */
const SEQUENCES = 2 ** 31;

/** What a v2 record batch says of its producer. */
export interface SequencedBatch {
  readonly partition: number | string;
  readonly baseOffset: number;
  /** -1: not idempotent. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  /** Of sequences: last offset delta + 1, compacted or not. */
  readonly count: number;
}

/** What no log of idempotent producers may hold. */
export const SEQUENCE_ANOMALIES = {
  "sequence-start": "the first batch of a producer's epoch has not the sequence 0",
  "sequence-gap": "sequences are left out",
  "sequence-repeated": "sequences come again",
  "epoch-regressed": "a batch of an older producer epoch follows one of a newer",
  "offset-regressed": "a batch is not above the one before it",
} as const;

export type SequenceAnomalyKind = keyof typeof SEQUENCE_ANOMALIES;

export interface SequenceAnomaly {
  readonly kind: SequenceAnomalyKind;
  readonly batch: SequencedBatch;
  readonly detail: string;
}

interface Producer {
  epoch: number;
  next: number;
}

/** @param batch One whole v2 batch, as the log has it. */
export function sequencedBatch(partition: number | string, batch: Uint8Array): SequencedBatch {
  const header = readBatchHeader(new DataView(batch.buffer, batch.byteOffset, batch.byteLength), 0);
  const { baseOffset, producerId, producerEpoch, baseSequence, lastOffsetDelta } = header;
  const count = lastOffsetDelta + 1;
  return { partition, baseOffset, producerId, producerEpoch, baseSequence, count };
}

/**
 * Whether the log holds, for each producer, epoch and partition, the sequences 0, 1, 2 … modulo 2³¹, each once and in order, and no older
 * epoch after a newer one.
 *
 * @param batches Of each partition in the order of the log; control batches, which have no sequence, left out.
 * @param options `trimmed`: partitions whose first batches are gone, so that a producer may begin anywhere in them.
 */
export function auditSequences(
  batches: Iterable<SequencedBatch>,
  options: { readonly trimmed?: ReadonlySet<number | string> } = {},
): readonly SequenceAnomaly[] {
  const anomalies: SequenceAnomaly[] = [];
  const ends = new Map<number | string, number>();
  const producers = new Map<string, Producer>();
  for (const batch of batches) {
    const { partition, baseOffset, producerId, count } = batch;
    const end = ends.get(partition);
    if (end !== undefined && baseOffset < end)
      anomalies.push({ kind: "offset-regressed", batch, detail: `${baseOffset} after ${end}` });
    ends.set(partition, baseOffset + count);
    if (producerId < 0) continue;
    const key = JSON.stringify([partition, producerId]);
    const producer = producers.get(key);
    const mayBeginAnywhere = options.trimmed?.has(partition) ?? false;
    const anomaly = judge(batch, producer, mayBeginAnywhere);
    if (anomaly !== undefined) anomalies.push(anomaly);
    // What came again moves nobody on.
    if (anomaly?.kind === "sequence-repeated" || anomaly?.kind === "epoch-regressed") continue;
    const next = (batch.baseSequence + count) % SEQUENCES;
    if (producer === undefined) producers.set(key, { epoch: batch.producerEpoch, next });
    else {
      producer.epoch = batch.producerEpoch;
      producer.next = next;
    }
  }
  return anomalies;
}

function judge(
  batch: SequencedBatch,
  producer: Producer | undefined,
  mayBeginAnywhere: boolean,
): SequenceAnomaly | undefined {
  const { producerEpoch, baseSequence } = batch;
  const who = `producer ${batch.producerId} at ${batch.baseOffset}`;
  if (producer === undefined || producerEpoch > producer.epoch) {
    if (baseSequence === 0 || (producer === undefined && mayBeginAnywhere)) return undefined;
    return { kind: "sequence-start", batch, detail: `${who}: ${baseSequence}` };
  }
  if (producerEpoch < producer.epoch)
    return {
      kind: "epoch-regressed",
      batch,
      detail: `${who}: ${producerEpoch} after ${producer.epoch}`,
    };
  if (baseSequence === producer.next) return undefined;
  const ahead = (baseSequence - producer.next + SEQUENCES) % SEQUENCES;
  const kind = ahead < SEQUENCES / 2 ? "sequence-gap" : "sequence-repeated";
  return { kind, batch, detail: `${who}: ${baseSequence}, not ${producer.next}` };
}
