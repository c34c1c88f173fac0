/** Bounds of one state stream. Settings: plain data, overridden at open. */
export interface StateStreamLimits {
  /** What the keys and values take in memory, within the engine's budget: above it writes are refused. */
  readonly imageBytesMax: number;
  /** One write, encoded. */
  readonly writeBytesMax: number;
  /** Bytes in one batch of the stream: a longer write goes in parts. */
  readonly partBytesMax: number;
  /** Bytes in the stream from which a snapshot is written, where they are more than two images. */
  readonly snapshotBytesMin: number;
}

export const DEFAULT_STATE_STREAM_LIMITS: StateStreamLimits = {
  imageBytesMax: 64 * 1024 * 1024,
  writeBytesMax: 8 * 1024 * 1024,
  partBytesMax: 64 * 1024,
  snapshotBytesMin: 1024 * 1024,
};

/** What an entry takes in memory beyond its bytes. */
export const STATE_ENTRY_OVERHEAD_BYTES: number = 200;
