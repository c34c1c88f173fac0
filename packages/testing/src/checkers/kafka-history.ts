/** One batch to one partition. A retry of it is the same operation. */
export interface SendOperation {
  readonly kind: "send";
  readonly producer: number | string;
  readonly partition: number | string;
  /** Unique among all that is sent in a history. */
  readonly values: readonly number[];
  readonly outcome:
    | { readonly tag: "ok"; readonly baseOffset: number }
    /** It certainly did not happen. */
    | { readonly tag: "failed" }
    | { readonly tag: "unknown" };
}

export interface PolledPartition {
  readonly partition: number | string;
  readonly records: readonly { readonly offset: number; readonly value: number }[];
  /** Exclusive bound of what may be read, as the answer with the records reported it. */
  readonly highWatermark?: number | undefined;
  readonly logStartOffset?: number | undefined;
}

export interface PollOperation {
  readonly kind: "poll";
  readonly consumer: number | string;
  readonly partitions: readonly PolledPartition[];
}

/**
 * A consumer's positions changed: assigned, sought, reset, rebalanced. A partition that is not named, or has no offset, may go on
 * anywhere.
 */
export interface SeekOperation {
  readonly kind: "seek";
  readonly consumer: number | string;
  readonly positions: readonly {
    readonly partition: number | string;
    /** Where the next poll begins. */
    readonly offset?: number | undefined;
  }[];
}

/**
 * What clients of logs without transactions did and were told. The order of a producer's sends is that in which it began them (a
 * producer that may itself put them in another order gets a new name for each), of a consumer's polls and seeks that in which they ended.
 */
export type KafkaOperation = SendOperation | PollOperation | SeekOperation;

/** A partition that the polls of a history have read from an offset to its end, after everything was sent. */
export interface CompleteRead {
  readonly partition: number | string;
  readonly from: number;
}

/** What no log may show. Most names are Jepsen's. */
export const KAFKA_ANOMALIES = {
  "inconsistent-offsets": "an offset has two values",
  duplicate: "a value has two offsets",
  misplaced: "a value is in another partition than it was sent to",
  unsent: "a value was read that nobody sent",
  G1a: "a value was read whose send definitely failed",
  "lost-write": "an acknowledged value below what was read was never read",
  unseen: "an acknowledged value is not in a complete read",
  "poll-skip": "a consumer's next poll leaves values out",
  "nonmonotonic-poll": "a consumer's next poll goes back",
  "int-poll-skip": "one poll leaves values out",
  "int-nonmonotonic-poll": "one poll goes back",
  "nonmonotonic-send": "a producer's later send is below its earlier one",
  "int-nonmonotonic-send": "one send's values are in another order",
  "int-send-skip": "one send's values are not side by side",
  "above-watermark": "a value was read at or above the high watermark that came with it",
  "watermark-regressed": "a consumer saw the high watermark go back",
  "start-regressed": "a consumer saw the log's start go back",
} as const;

export type KafkaAnomalyKind = keyof typeof KAFKA_ANOMALIES;

export interface KafkaAnomaly {
  readonly kind: KafkaAnomalyKind;
  readonly partition: number | string;
  /** Those that contradict each other. */
  readonly operations: readonly KafkaOperation[];
  readonly detail: string;
}

export interface KafkaVerdict {
  readonly operations: number;
  /** How many of each; empty: none. */
  readonly counts: ReadonlyMap<KafkaAnomalyKind, number>;
  /** The first few of each. */
  readonly anomalies: readonly KafkaAnomaly[];
}
