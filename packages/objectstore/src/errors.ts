import { defineErrors, type KarstError } from "@karst/runtime";

/** Codes of this package. */
export const OBJECT_STORE_ERRORS = {
  INVALID_KEY: "invalid",
  UNSUPPORTED: "invalid",
  OBJECT_NOT_FOUND: "not_found",
  RANGE_NOT_SATISFIABLE: "out_of_range",
  UNAVAILABLE: "unavailable",
  UNKNOWN_OUTCOME: "indeterminate",
  STORE_CLOSED: "closed",
  STORE_FAILED: "closed",
  STORE_REFUSED: "unavailable",
  UPLOAD_ENDED: "closed",
  STORE_UNFIT: "invalid",
  INVALID_ROOT: "invalid",
} as const;

export const objectStoreError: (
  code: keyof typeof OBJECT_STORE_ERRORS,
  message: string,
  cause?: unknown,
) => KarstError = defineErrors(OBJECT_STORE_ERRORS);
