import { defineErrors, type KarstError } from "@karst/runtime";

/** Codes of this package. The broker maps each to Kafka's number. */
export const RECORDS_ERRORS = {
  /** The bytes end before the batch does. */
  TRUNCATED_BATCH: "corrupt",
  /** CRC, lengths or record structure are wrong. */
  CORRUPT_BATCH: "corrupt",
  /** Magic 0 or 1 (before Kafka 0.11), or one that nobody knows. */
  UNSUPPORTED_MAGIC: "invalid",
  /** A well-formed batch that a producer may not send, or a record that no batch can hold. */
  INVALID_RECORD: "invalid",
  /** LogAppendTime claimed by a producer, or a timestamp outside the topic's bounds. */
  INVALID_TIMESTAMP: "invalid",
  BATCH_TOO_LARGE: "invalid",
  /** The batch's compression is none of Kafka's. */
  UNSUPPORTED_CODEC: "invalid",
  /** Decompressing would exceed the limit. */
  DECOMPRESSED_TOO_LARGE: "invalid",
} as const;

/** With which opening a batch, or walking its records, fails for good. */
export const UNOPENABLE = ["CORRUPT_BATCH", "DECOMPRESSED_TOO_LARGE", "UNSUPPORTED_CODEC"] as const;

export const recordsError: (
  code: keyof typeof RECORDS_ERRORS,
  message: string,
  cause?: unknown,
) => KarstError = defineErrors(RECORDS_ERRORS);
