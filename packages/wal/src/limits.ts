const KiB = 1024;
const MiB = 1024 * KiB;

/** Every bound of a WAL. Settings: plain data, overridden where the WAL is made. */
export interface WalLimits {
  /** Bytes that a segment holds. A frame that does not fit gets a segment of its own size. */
  readonly segmentBytes: number;
  /** Bytes of the first segment of each opening, which has to be prewritten before anything can be appended. */
  readonly firstSegmentBytes: number;
  /** Size above which no further frame joins a group. */
  readonly groupBytesMax: number;
  /** The same, if it is less, over a device that writes while this thread goes on: one group is filled while another is written. */
  readonly groupBytesAsideMax: number;
  /** Frames of one group. */
  readonly groupFramesMax: number;
  /** Largest payload of a frame. */
  readonly frameBytesMax: number;
  /** Bytes appended and not durable yet, above which appends are refused. */
  readonly pendingBytesMax: number;
  /** Quiet time after the last group until its watermark is written: at least this, less than twice this. */
  readonly watermarkDelayMs: number;
  /** First and longest pause before a segment that could not be prepared is tried again; doubled in between. */
  readonly prepareRetryMs: number;
  readonly prepareRetryMaxMs: number;
  /** Bytes read at once while recovering. */
  readonly scanBytes: number;
}

export const DEFAULT_WAL_LIMITS: WalLimits = {
  segmentBytes: 64 * MiB,
  firstSegmentBytes: 8 * MiB,
  groupBytesMax: 2 * MiB,
  groupBytesAsideMax: 512 * KiB,
  groupFramesMax: 1_024,
  frameBytesMax: 64 * MiB,
  pendingBytesMax: 32 * MiB,
  watermarkDelayMs: 20,
  prepareRetryMs: 100,
  prepareRetryMaxMs: 5_000,
  scanBytes: 1 * MiB,
};

/** Bytes of one slice of a segment's prewriting; between two slices an urgent write may go. */
export const PREWRITE_SLICE_BYTES: number = 512 * KiB;

/** Files that a device keeps open. */
export const OPEN_FILES_MAX = 8;

/** Largest identity or lock file. */
export const SMALL_FILE_BYTES_MAX: number = 4 * KiB;

/** Segments prepared beyond the one that is being written. */
export const PREPARED_AHEAD_MAX = 2;

/** Trimmed segments kept to be used again. */
export const RECYCLED_MAX = 2;

/** Claims that may win the race for the next fence before this one gives up. */
export const FENCE_ATTEMPTS_MAX = 8;

/** Lengths are 32-bit words. */
const FRAME_BYTES_CEILING = 1024 * MiB;

/** The defaults with `given` over them. @throws TypeError on a value that no WAL can work with. */
export function walLimits(given: Partial<WalLimits> = {}): WalLimits {
  const limits: WalLimits = { ...DEFAULT_WAL_LIMITS, ...given };
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value <= 0)
      throw new TypeError(`WAL limit ${name} must be a positive integer, not ${value}`);
  }
  if (limits.frameBytesMax > FRAME_BYTES_CEILING)
    throw new TypeError(`frameBytesMax is at most ${FRAME_BYTES_CEILING}`);
  if (limits.prepareRetryMaxMs < limits.prepareRetryMs)
    throw new TypeError("prepareRetryMaxMs is below prepareRetryMs");
  return limits;
}
