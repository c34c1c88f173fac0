/**
 * What clients of one log did and were told.
 *
 * Times are of one total order over all processes: a counter, or nanoseconds of one clock. Operations whose times are equal count as
 * concurrent. An operation that never came back returned at `Infinity`.
 */
interface Timed {
  /** For messages alone: order within a process follows from the times. */
  readonly process: number | string;
  readonly invokedAt: number;
  /** Of an `unknown` outcome it is not looked at: what was asked for may still happen. */
  readonly returnedAt: number;
}

/** One atomic batch. A retry of it by the same client is the same operation. */
export interface AppendOperation extends Timed {
  readonly kind: "append";
  /** Stands for the bytes: unique among the appends of a history. Mint it and write it into the batch. */
  readonly content: number;
  /** ≥ 1: offsets that the batch occupies. */
  readonly count: number;
  /** Append only if the log ends there. */
  readonly ifOffset?: number | undefined;
  /** Of the owner that took it: never lower than that of a batch before it. */
  readonly epoch?: number | undefined;
  readonly outcome: AppendOutcome;
}

export type AppendOutcome =
  | { readonly tag: "ok"; readonly baseOffset: number; readonly endOffset: number }
  /** `ifOffset` was not the end. `tail`: what was, where the answer says so. */
  | { readonly tag: "conflict"; readonly tail?: number | undefined }
  /** It certainly did not happen, and never will. */
  | { readonly tag: "failed" }
  | { readonly tag: "unknown" };

/** A batch as a reader was shown it, whole. */
export interface SeenBatch {
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly content: number;
}

/** Reads that failed for other reasons say nothing, and are left out. */
export interface ReadOperation extends Timed {
  readonly kind: "read";
  readonly from: number;
  readonly outcome: ReadOutcome;
}

export type ReadOutcome =
  /**
   * Batches from the one that contains `from`; none only where the log ended at `from`. `start` and `tail` (the first offset, and the
   * end of what may be read), where they were reported: at a moment of the read, perhaps after the one that the batches are of.
   */
  | {
      readonly tag: "ok";
      readonly batches: readonly SeenBatch[];
      readonly tail?: number | undefined;
      readonly start?: number | undefined;
    }
  /** Refused: `from` is below the start. */
  | { readonly tag: "trimmed"; readonly start?: number | undefined }
  /** Refused: `from` is above the end. */
  | { readonly tag: "beyond"; readonly tail?: number | undefined };

/** The end of what may be read, and the start, as they were reported. */
export interface TailOperation extends Timed {
  readonly kind: "tail";
  readonly tail: number;
  readonly start?: number | undefined;
}

/** Raises the start to `before`, unless it is there or above. */
export interface TrimOperation extends Timed {
  readonly kind: "trim";
  readonly before: number;
  readonly outcome:
    | { readonly tag: "ok" }
    | { readonly tag: "failed" }
    | { readonly tag: "unknown" };
}

export type LogOperation = AppendOperation | ReadOperation | TailOperation | TrimOperation;

/** The log before the first operation. */
export interface InitialLog {
  readonly start: number;
  readonly tail: number;
}

/** Created for the history. */
export const EMPTY_LOG: InitialLog = { start: 0, tail: 0 };

/** When an operation's effect must have happened: never, as far as is known, for an unknown outcome. */
export function deadlineOf(operation: LogOperation): number {
  switch (operation.kind) {
    case "append":
    case "trim":
      return operation.outcome.tag === "unknown" ? Infinity : operation.returnedAt;
    case "read":
    case "tail":
      return operation.returnedAt;
  }
}
