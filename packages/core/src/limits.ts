import { MEMORY_BUDGET_BYTES, SLAB_BYTES } from "@karst/runtime";

const MiB = 1024 * 1024;

/** Every bound of an engine. Settings: plain data, overridden at open. */
export interface Limits {
  /** Record data held in memory, over all caches, queues and sockets. */
  readonly memoryBudgetBytes: number;
  /** Unit of record memory; at most an eighth of the budget. */
  readonly slabBytes: number;
  /** Un-uploaded bytes above which an upload starts; at most an eighth of the budget. */
  readonly uploadBytes: number;
  /** Age of the oldest un-uploaded record above which an upload starts. */
  readonly uploadAgeMs: number;
  /** Un-uploaded bytes above which appends are refused; at most a third of the budget. */
  readonly unuploadedBytesMax: number;
  /** Bytes of one stream in an upload from which it gets an object of its own. */
  readonly streamObjectBytesMin: number;
  /** Size at which a block of an object ends. */
  readonly blockBytes: number;
  /** Bytes of the block cache: objects read back. */
  readonly blockCacheBytes: number;
  /** Largest batch. */
  readonly batchBytesMax: number;
  /** Producers remembered per partition. */
  readonly producersPerPartitionMax: number;
  /** Time after its last batch when a producer is forgotten, and its next batch accepted with any sequence. */
  readonly producerExpirationMs: number;
  /** Partitions of one topic. */
  readonly partitionsPerTopicMax: number;
  /** Topics of a root. */
  readonly topicsMax: number;
}

export const DEFAULT_LIMITS: Limits = {
  memoryBudgetBytes: MEMORY_BUDGET_BYTES,
  slabBytes: SLAB_BYTES,
  uploadBytes: 16 * MiB,
  uploadAgeMs: 60_000,
  unuploadedBytesMax: 80 * MiB,
  streamObjectBytesMin: 8 * MiB,
  blockBytes: 512 * 1024,
  blockCacheBytes: 64 * MiB,
  batchBytesMax: 1_048_588,
  producersPerPartitionMax: 10_000,
  producerExpirationMs: 86_400_000,
  partitionsPerTopicMax: 10_000,
  topicsMax: 100_000,
};

/** First and longest pause between two tries of what an engine tries until it succeeds: object writes and commits. */
export const RETRY_MS_MIN: number = 100;
export const RETRY_MS_MAX: number = 10_000;

/** Contributions (a trim, an opening, an upload) that share one catalogue transaction. */
export const CONTRIBUTIONS_PER_COMMIT_MAX: number = 1_000;

/** Objects of one upload that are written at the same time. */
export const OBJECT_PUTS_MAX: number = 4;

/** Appends, and bytes of them, that share one promise: few enough that nobody waits for a later write of the WAL than his own. */
export const APPENDS_PER_GROUP_MAX: number = 1_000;
export const BYTES_PER_GROUP_MAX: number = MiB / 8;

/** Offsets that one batch occupies at most. */
export const BATCH_COUNT_MAX: number = 0x7fff_ffff;

/** Bytes of the indexes of objects kept for reading. */
export const OBJECT_INDEX_CACHE_BYTES: number = 16 * MiB;

/** Read-ahead of one cold reader: what it begins with and what it grows to. */
export const READ_AHEAD_BYTES_MIN: number = MiB / 2;
export const READ_AHEAD_BYTES_MAX: number = 32 * MiB;

/** Cold readers whose read-ahead is remembered. */
export const READ_CURSORS_MAX: number = 1_024;

/** Offsets that one append may leave out at most: a hole is on record in pieces of `BATCH_COUNT_MAX`. */
export const GAP_OFFSETS_MAX: number = 1024 * BATCH_COUNT_MAX;

/** Times that an object found under a key of ours is compared with what was to be written, before it is somebody else's. */
export const OBJECT_COMPARISONS_MAX: number = 3;

/** Bytes read at a time while a stream's state is brought up to its end. */
export const RESTORE_READ_BYTES: number = MiB;

/** Changes of a partition's leader epoch that are remembered; the oldest are forgotten. */
export const LEADER_EPOCHS_MAX: number = 1_000;

/** Compressed bytes of a batch from which it is opened off the event loop. */
export const DECOMPRESS_ASIDE_BYTES_MIN: number = 64 * 1024;

/** Producer ids that a node takes from the catalogue at once. */
export const PRODUCER_ID_BLOCK: number = 1_000;

/** Tries of a change of topics that others' changes keep overtaking. */
export const TOPIC_COMMIT_TRIES_MAX: number = 20;

/** Times that the commit which opens an engine is tried while its outcome stays unknown. */
export const OPEN_COMMIT_TRIES_MAX: number = 8;

/** Streams from which a generation is uploaded, however small: all of them are in one transaction. */
export const STREAMS_PER_UPLOAD_MAX: number = 10_000;
