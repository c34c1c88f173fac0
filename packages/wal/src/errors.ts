import { defineErrors, type KarstError } from "@karst/runtime";

/** Codes of this package. */
export const WAL_ERRORS = {
  FRAME_TOO_LARGE: "invalid",
  WAL_FOREIGN: "invalid",
  WAL_IN_USE: "conflict",
  WAL_FENCED: "fenced",
  WAL_FAILED: "closed",
  WAL_CLOSED: "closed",
  WAL_FULL: "unavailable",
  WAL_CORRUPT: "corrupt",
  WAL_VERSION: "corrupt",
} as const;

export const walError: (code: keyof typeof WAL_ERRORS, message: string, cause?: unknown) => KarstError =
  defineErrors(WAL_ERRORS);
