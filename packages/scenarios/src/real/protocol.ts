/*
 * What the process that is to be killed and the one that keeps the book say to each other: lines of JSON, one `Start` in, reports
 * out. A report is written, by a blocking call, before what follows it happens: what was tried is known even of the last moment.
 */

/** Limits so small that a few hundred appends roll segments, upload and trim. */
export const REAL_LIMITS: Readonly<Record<string, number>> = {
  memoryBudgetBytes: 8 * 1024 * 1024,
  slabBytes: 64 * 1024,
  uploadBytes: 24 * 1024,
  blockBytes: 4 * 1024,
  segmentBytes: 32 * 1024,
  firstSegmentBytes: 16 * 1024,
  groupBytesMax: 8 * 1024,
  groupFramesMax: 16,
};

export const PARTITIONS = 2;

/** Batches that one producer may have unanswered: what a partition remembers of it. */
export const PRODUCER_IN_FLIGHT = 5;

/** `topic`: the embedded API. `partition`: partition logs, with idempotent producers that send again what was in doubt. */
export type Level = "topic" | "partition";

/** One append of records whose ids are `firstId`, `firstId + 1`, …; `firstId` names it for ever, also when it is sent again. */
export interface Try {
  readonly firstId: number;
  readonly count: number;
  readonly partition: number;
  /** Of an idempotent producer: which, and the sequence of the first record. */
  readonly producer?: { readonly index: number; readonly sequence: number };
}

/** An idempotent producer, as its last process left it. */
export interface ProducerPlan {
  readonly index: number;
  readonly partition: number;
  /** Undefined: it has none yet. */
  readonly producerId: number | undefined;
  readonly nextSequence: number;
  /** In order; to be sent again first. */
  readonly unanswered: readonly Try[];
}

export interface Start {
  readonly directory: string;
  readonly level: Level;
  readonly device: "worker" | "inline";
  readonly seed: number;
  readonly firstId: number;
  readonly producers: readonly ProducerPlan[];
  /** Appends after which it closes the engine and ends; undefined: never. */
  readonly appends?: number | undefined;
}

/** First readable offset, and the one after the last. */
export interface Bounds {
  readonly start: number;
  readonly end: number;
}

/** Offset, id, hash of the bytes. */
export type SeenRecord = readonly [offset: number, id: number, hash: string];

export type Report =
  /** Everything is loaded; it waits for its `Start`. */
  | { readonly tag: "ready" }
  | { readonly tag: "opened"; readonly partitions: readonly Bounds[] }
  | { readonly tag: "seen"; readonly partition: number; readonly records: readonly SeenRecord[] }
  | { readonly tag: "seen-all"; readonly partition: number }
  | { readonly tag: "producer"; readonly index: number; readonly producerId: number }
  | { readonly tag: "tries"; readonly tries: readonly Try[] }
  /** First id, and the offset of its record. */
  | { readonly tag: "acks"; readonly acks: readonly (readonly [firstId: number, offset: number])[] }
  /** Certainly not appended. */
  | { readonly tag: "refused"; readonly firstId: number; readonly code: string }
  | { readonly tag: "trim" | "trimmed"; readonly partition: number; readonly before: number }
  | { readonly tag: "event"; readonly name: string }
  | { readonly tag: "failed"; readonly reason: string }
  | { readonly tag: "closed" };
