import type { CodecName } from "@karst/records";
import type { Row } from "../dataset.ts";
import type { Journal } from "../journal.ts";

/** Rows of one partition, sent together and not acknowledged yet. */
export interface WriterOptions {
  readonly topic: string;
  readonly idempotent: boolean;
  readonly compression: CodecName;
  readonly bootstrap: string;
  readonly partitions: number;
  readonly journal: Journal;
  /** Aborted: nothing more is sent. */
  readonly signal: AbortSignal;
  /** Rows that one request carries, at most. */
  readonly nextBatchSize: () => number;
}

/** One client that writes its rows to its own topic, row `i` to partition `i % partitions`, and journals what is acknowledged. */
export interface Writer {
  readonly topic: string;
  readonly idempotent: boolean;
  /** Ids of rows that were sent and are not acknowledged now. */
  readonly inFlight: ReadonlySet<number>;
  /** Resolves when every row is acknowledged, however often the other side dies on the way. */
  write(rows: readonly Row[]): Promise<void>;
  close(): Promise<void>;
}

/** The rows of one partition, in order. */
export function rowsOfPartition(
  rows: readonly Row[],
  partition: number,
  partitions: number,
): Row[] {
  return rows.filter((_, index) => index % partitions === partition);
}
