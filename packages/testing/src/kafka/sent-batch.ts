import { encodeBatch } from "@karst/records";
import { utf8Decode, utf8Encode } from "@karst/runtime";
import type { PartitionModel } from "./topic-model.ts";

/** What came of one time that a batch was sent. `refused`: certainly nothing was appended by it. */
export type AttemptOutcome =
  | { readonly tag: "pending" }
  | { readonly tag: "acknowledged"; readonly baseOffset: number }
  | { readonly tag: "refused"; readonly errorCode: number }
  | { readonly tag: "unknown" };

/** One time that a batch was sent. */
export interface Attempt {
  readonly batch: SentBatch;
  /** In the order in which all attempts were made. */
  readonly order: number;
  /** Of the connection. */
  readonly connection: number;
  /** Whether the request named the topic, which may then have been another one when it arrived. */
  readonly byName: boolean;
  outcome: AttemptOutcome;
}

/** A producer's identity and place in its sequence. */
export interface ProducerBatchSequence {
  readonly producerId: number;
  readonly epoch: number;
  readonly baseSequence: number;
}

/** One batch of a producer, sent as often as need be, always the same bytes. */
export interface SentBatch {
  readonly id: number;
  readonly producer: string;
  readonly partition: PartitionModel;
  readonly count: number;
  readonly bytes: Uint8Array;
  /** undefined: not idempotent. */
  readonly sequence: ProducerBatchSequence | undefined;
  readonly attempts: Attempt[];
  /** Where it was seen or said to be, by partition. */
  readonly places: Map<PartitionModel, Set<number>>;
}

/** Every value of a history is unique: number of the batch, and of the record in it. */
export function valueOf(batch: number, record: number): number {
  return batch * 1_000 + record;
}

/** The bytes of a batch whose records say which they are. @param recordBytes of each value, about. */
export function batchBytes(options: {
  readonly id: number;
  readonly count: number;
  readonly recordBytes: number;
  readonly timestampMs: number;
  readonly sequence: ProducerBatchSequence | undefined;
}): Uint8Array {
  const { id, count, recordBytes, timestampMs, sequence } = options;
  const records = Array.from({ length: count }, (_, i) => ({
    timestampMs: timestampMs + i,
    key: i % 3 === 0 ? null : utf8Encode(`k${i}`),
    value: utf8Encode(`${valueOf(id, i)} `.padEnd(recordBytes, ".")),
    headers: i % 5 === 4 ? [{ key: "h", value: null }] : [],
  }));
  return encodeBatch(records, {
    ...(sequence && {
      producer: {
        id: sequence.producerId,
        epoch: sequence.epoch,
        baseSequence: sequence.baseSequence,
      },
    }),
  });
}

/** Which value a record holds; undefined: none of ours. */
export function readValue(value: Uint8Array | null): number | undefined {
  const number = Number(utf8Decode(value ?? new Uint8Array()).split(" ", 1)[0]);
  return Number.isSafeInteger(number) ? number : undefined;
}
