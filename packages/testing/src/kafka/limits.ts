import type { BrokerLimits } from "@karst/broker";
import type { Limits } from "@karst/core";
import type { WalLimits } from "@karst/wal";

const KiB = 1024;

/** Of the WAL. */
export const WAL_DIRECTORY = "/data/wal";
/** Where the broker listens. */
export const PORT = 9092;

export const MEMORY_BYTES: number = 512 * KiB;

/** So small that some dozen batches cross every bound. */
export const ENGINE_LIMITS: Partial<Limits> = {
  memoryBudgetBytes: MEMORY_BYTES,
  slabBytes: 8 * KiB,
  uploadBytes: 6 * KiB,
  uploadAgeMs: 5_000,
  unuploadedBytesMax: 48 * KiB,
  streamObjectBytesMin: 3 * KiB,
  blockBytes: KiB,
  blockCacheBytes: 8 * KiB,
  batchBytesMax: 8 * KiB,
};

export const WAL_LIMITS: Partial<WalLimits> = {
  segmentBytes: 16 * KiB,
  firstSegmentBytes: 16 * KiB,
  groupBytesMax: 4 * KiB,
  groupFramesMax: 8,
  frameBytesMax: 12 * KiB,
  pendingBytesMax: 24 * KiB,
  scanBytes: 4 * KiB,
};

export const BROKER_LIMITS: Partial<BrokerLimits> = {
  connectionsMax: 40,
  frameBytesMax: 32 * KiB,
  firstFrameBytesMax: 16 * KiB,
  requestBytesMax: 128 * KiB,
  requestsInFlightMax: 8,
  responseBytesMax: 8 * KiB,
  fetchBytesMax: 16 * KiB,
  transferTimeoutMs: 5_000,
  idleTimeoutMs: 12_000,
  fetchWaitMsMax: 3_000,
  fetchSessionsMax: 2,
  fetchSessionPartitionsMax: 9,
  fetchSessionIdleMs: 3_000,
};

/** A client gives a connection up when a request is not answered for so long. */
export const REQUEST_TIMEOUT_MS = 6_000;
/** Pauses of a client before it tries again. */
export const BACKOFF_MS_MIN = 20;
export const BACKOFF_MS_MAX = 400;
/** What a given-up connection may still deliver, it delivers within this time. */
export const LINGER_MS = 4_000;
/** Batches of one partition that an idempotent producer has on their way: as many as a broker remembers. */
export const WINDOW_BATCHES = 5;
/** Batches that wait in one producer for one partition at most. */
export const QUEUED_BATCHES_MAX = 24;
