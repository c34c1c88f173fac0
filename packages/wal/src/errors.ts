import { defineErrors, type KarstError } from "@karst/runtime";

/** Codes of this package. */
export const WAL_ERRORS = {
  /** The frame is larger than `frameBytesMax`. */
  FRAME_TOO_LARGE: "invalid",
  /** The place holds another root's WAL, or something that is no WAL. */
  WAL_FOREIGN: "invalid",
  /** Another live process holds the WAL. */
  WAL_IN_USE: "conflict",
  /** A later claim of the same WAL exists. */
  WAL_FENCED: "fenced",
  /** A write or sync has failed: the instance is over, a new one recovers. */
  WAL_FAILED: "closed",
  WAL_CLOSED: "closed",
  /** No prewritten space is left and none can be prepared now. Nothing was taken. */
  WAL_FULL: "unavailable",
  /** More than `pendingBytesMax` bytes wait for the disk. Nothing was taken. */
  WAL_BACKLOG_FULL: "unavailable",
  /** No frame is known at the position: trimmed, or never there. */
  WAL_POSITION_UNKNOWN: "out_of_range",
  /** Bytes that must be there are missing or damaged. Nothing was changed. */
  WAL_CORRUPT: "corrupt",
  /** The catalogue has trimmed beyond everything that is here: an old copy of the WAL. Nothing was changed. */
  WAL_STALE: "corrupt",
  /** Written by a newer Karst, or with a feature that this one does not know. Nothing was changed. */
  WAL_VERSION: "corrupt",
} as const;

export const walError: (
  code: keyof typeof WAL_ERRORS,
  message: string,
  cause?: unknown,
) => KarstError = defineErrors(WAL_ERRORS);
