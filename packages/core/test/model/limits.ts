import type { Limits } from "@karst/core";
import type { WalLimits } from "@karst/wal";

export const DIRECTORY = "/data/wal";
export const STORE_DIRECTORY = "/data/store";

export const MEMORY_BYTES: number = 128 * 1024;

/** So small that a few batches cross every bound. */
export const LIMITS: Partial<Limits> = {
  memoryBudgetBytes: MEMORY_BYTES,
  slabBytes: 4 * 1024,
  uploadBytes: 2 * 1024,
  uploadAgeMs: 5_000,
  unuploadedBytesMax: 20 * 1024,
  streamObjectBytesMin: 1_500,
  blockBytes: 512,
  // Two blocks.
  blockCacheBytes: 1024,
  batchBytesMax: 6 * 1024,
};

export const WAL_LIMITS: Partial<WalLimits> = {
  segmentBytes: 4 * 1024,
  firstSegmentBytes: 4 * 1024,
  groupBytesMax: 2 * 1024,
  groupFramesMax: 8,
  frameBytesMax: 8 * 1024,
  pendingBytesMax: 12 * 1024,
  scanBytes: 1024,
};
