import { defineErrors, type KarstError } from "@karst/runtime";

/** Codes of this package. */
export const BROKER_ERRORS = {
  GROUP_STATE_CORRUPT: "corrupt",
} as const;

export const brokerError: (
  code: keyof typeof BROKER_ERRORS,
  message: string,
  cause?: unknown,
) => KarstError = defineErrors(BROKER_ERRORS);
