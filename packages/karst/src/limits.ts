const KiB = 1024;
const MiB = 1024 * KiB;

/** Bytes of records that wait, per topic handle, for their topic to be created or their partition to open. */
export const BACKLOG_BYTES_MAX: number = 16 * MiB;

/** Tries to create the topic and to open the partition of one append. */
export const PREPARE_TRIES_MAX = 5;

/** Size at which a batch that appends share goes to the log, within the turn. Small enough for a processor's cache. */
export const SHARED_BATCH_BYTES_MAX: number = 128 * KiB;

/** Builders of shared batches that a topic handle keeps while they are not in use. */
export const IDLE_BUILDERS_MAX = 8;

/** Bytes of keyless records after which the next partition is taken. */
export const STICKY_BYTES: number = 16 * KiB;

/** Bytes of an append session that are submitted and not yet acknowledged, unless it says otherwise. */
export const SESSION_BYTES_MAX: number = 4 * MiB;

/** Rounds of an append session that may be on their way to the disk while more is submitted; above that it gathers this many bytes. */
export const SESSION_ROUNDS_MAX = 2;
export const SESSION_ROUND_BYTES: number = 256 * KiB;

/** Waits of an append session before it offers a refused batch again: doubling from the first to the last. */
export const SESSION_RETRY_MS_MIN = 5;
export const SESSION_RETRY_MS_MAX = 1_000;

/** Bytes asked of one partition at a time while reading. */
export const READ_BYTES_MAX: number = 1 * MiB;
