const MiB = 1024 * 1024;

/** Every bound of a catalogue instance. Settings: plain data, overridden at open. */
export interface CatalogueLimits {
  /** Encoded size of one transaction; a larger one is refused. */
  readonly transactionBytesMax: number;
  /** Encoded size from which an entry takes no further transaction. */
  readonly entryBytesMax: number;
  /** Transactions of one entry. */
  readonly entryTransactionsMax: number;
  /** Transactions that wait or are on their way; more are refused before anything is kept of them. */
  readonly queuedTransactionsMax: number;
  /** Their encoded size. */
  readonly queuedBytesMax: number;
  /** Slots that a transaction may lose to other writers before its commit gives up. */
  readonly attemptsMax: number;
  /** Tries and time of a PUT whose outcome stays unknown. */
  readonly putAttemptsMax: number;
  readonly putDeadlineMs: number;
  /** Transactions whose ids are remembered, so that committing one again does nothing. */
  readonly recentTransactionsMax: number;
  /** Transactions of unknown outcome whose slots are remembered. */
  readonly unsettledTransactionsMax: number;
  /** Changes kept for watchers; one that is further behind gets `reset`. */
  readonly watchHistoryMax: number;
  /** Objects read at once while opening or catching up. */
  readonly readAheadMax: number;
  /** Times that catching up starts over because the log was trimmed underneath it. */
  readonly catchUpAttemptsMax: number;
  /** Entries below which no snapshot is written, and above which one is, whatever its size. */
  readonly snapshotEntriesMin: number;
  readonly snapshotEntriesMax: number;
  /** A snapshot is considered by the writer of each entry whose distance from the last one is a multiple of this. */
  readonly snapshotEveryEntries: number;
  /** Size at which a chunk of a snapshot ends. */
  readonly chunkBytes: number;
  /** Rows encoded before other work gets its turn; so chosen that it takes less than 5 ms. */
  readonly sliceRows: number;
  /** Bytes of values encoded before other work gets its turn. */
  readonly sliceBytes: number;
  /** Keys of one delete call. */
  readonly deleteKeysMax: number;
}

export const DEFAULT_CATALOGUE_LIMITS: CatalogueLimits = {
  transactionBytesMax: 8 * MiB,
  entryBytesMax: 8 * MiB,
  entryTransactionsMax: 1_000,
  queuedTransactionsMax: 10_000,
  queuedBytesMax: 64 * MiB,
  attemptsMax: 64,
  putAttemptsMax: 8,
  putDeadlineMs: 30_000,
  recentTransactionsMax: 4_096,
  unsettledTransactionsMax: 4_096,
  watchHistoryMax: 1_024,
  readAheadMax: 32,
  catchUpAttemptsMax: 16,
  snapshotEntriesMin: 256,
  snapshotEntriesMax: 1_024,
  snapshotEveryEntries: 32,
  chunkBytes: 256 * 1024,
  sliceRows: 2_000,
  sliceBytes: 1 * MiB,
  deleteKeysMax: 1_000,
};

/** Longest key of a row. */
export const ROW_KEY_LENGTH_MAX: number = 512;

/** Longest id of a transaction. */
export const TRANSACTION_ID_LENGTH_MAX: number = 64;

/** Bounds of one leaf of the image. A single larger value has a leaf of its own. */
export const LEAF_ROWS_MAX: number = 128;
export const LEAF_BYTES_MAX: number = 32 * 1024;
