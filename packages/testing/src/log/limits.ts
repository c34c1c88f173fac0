import type { Limits } from "@karst/core";
import type { WalLimits } from "@karst/wal";

/** Of the WAL. */
export const DIRECTORY = "/data/wal";

/** How much an engine may hold. */
export interface Size {
  readonly memoryBytes: number;
  readonly limits: Partial<Limits>;
  readonly walLimits: Partial<WalLimits>;
}

/** So small that a few batches cross every bound. */
export const TINY: Size = {
  memoryBytes: 128 * 1024,
  limits: {
    slabBytes: 4 * 1024,
    uploadBytes: 2 * 1024,
    uploadAgeMs: 5_000,
    unuploadedBytesMax: 20 * 1024,
    streamObjectBytesMin: 1_500,
    blockBytes: 512,
    // Two blocks: nothing is read ahead.
    blockCacheBytes: 1024,
    batchBytesMax: 6 * 1024,
  },
  walLimits: {
    segmentBytes: 4 * 1024,
    firstSegmentBytes: 4 * 1024,
    groupBytesMax: 2 * 1024,
    groupFramesMax: 8,
    frameBytesMax: 8 * 1024,
    pendingBytesMax: 12 * 1024,
    scanBytes: 1024,
  },
};

/** The same with objects of many blocks, and room for those that a reader will want next. */
export const AHEAD: Size = {
  ...TINY,
  limits: { ...TINY.limits, uploadBytes: 6 * 1024, blockCacheBytes: 8 * 1024 },
};

/** Small enough that a minute of load crosses every bound some times. */
export const SMALL: Size = {
  memoryBytes: 512 * 1024,
  limits: {
    ...TINY.limits,
    slabBytes: 16 * 1024,
    uploadBytes: 16 * 1024,
    uploadAgeMs: 10_000,
    unuploadedBytesMax: 80 * 1024,
    streamObjectBytesMin: 8 * 1024,
    blockBytes: 2 * 1024,
    blockCacheBytes: 16 * 1024,
  },
  walLimits: {
    ...TINY.walLimits,
    segmentBytes: 32 * 1024,
    firstSegmentBytes: 8 * 1024,
    groupBytesMax: 8 * 1024,
    groupFramesMax: 64,
    pendingBytesMax: 32 * 1024,
    scanBytes: 8 * 1024,
  },
};
