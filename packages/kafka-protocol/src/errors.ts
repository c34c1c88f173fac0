import { defineErrors } from "@karst/runtime";
import type { KarstError } from "@karst/runtime";

/** Codes of this package. */
export const KAFKA_PROTOCOL_ERRORS = {
  /** Bytes that no encoder of this message and version writes. */
  MALFORMED_MESSAGE: "corrupt",
  /** A version outside the range of its schema. */
  UNSUPPORTED_VERSION: "invalid",
  /** A frame's length exceeds what this connection may send. */
  WIRE_FRAME_TOO_LARGE: "invalid",
  /** The memory for a frame was not granted. */
  WIRE_FRAME_REFUSED: "unavailable",
} as const;

export const protocolError: (
  code: keyof typeof KAFKA_PROTOCOL_ERRORS,
  message: string,
  cause?: unknown,
) => KarstError = defineErrors(KAFKA_PROTOCOL_ERRORS);
