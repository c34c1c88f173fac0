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
  partitionsPerTopicMax: 10_000,
  topicsMax: 100_000,
};
