import { defineErrors, type KarstError } from "@karst/runtime";

/** Codes of this package. */
export const CORE_ERRORS = {
  // Streams.
  STREAM_NOT_FOUND: "not_found",
  STREAM_OPEN: "conflict",
  STREAM_NOT_OWNED: "conflict",
  STREAM_CLOSED: "closed",
  STREAM_FENCED: "fenced",
  STREAM_QUARANTINED: "corrupt",
  OFFSET_BEFORE_END: "invalid",
  OFFSET_BEYOND_END: "invalid",
  OFFSET_OUT_OF_RANGE: "out_of_range",
  APPEND_UNKNOWN: "indeterminate",
  UPLOAD_BACKLOG_FULL: "unavailable",
  // Catalogue.
  CATALOGUE_CLOSED: "closed",
  CATALOGUE_CORRUPT: "corrupt",
  CATALOGUE_VERSION: "corrupt",
  CATALOGUE_NOT_FOUND: "not_found",
  CATALOGUE_BUSY: "unavailable",
  CATALOGUE_UNAVAILABLE: "unavailable",
  TRANSACTION_TOO_LARGE: "invalid",
  // Engine.
  ENGINE_CLOSED: "closed",
  ENGINE_FAILED: "closed",
  ENGINE_FENCED: "fenced",
  WAL_UNAVAILABLE: "unavailable",
  NODE_CONTESTED: "conflict",
  COMMIT_UNKNOWN: "indeterminate",
  RECOVERY_CORRUPT: "corrupt",
  // Objects.
  OBJECT_CORRUPT: "corrupt",
  OBJECT_VERSION: "corrupt",
  OBJECT_MISSING: "corrupt",
  OBJECT_KEY_TAKEN: "corrupt",
  // Partitions.
  OUT_OF_ORDER_SEQUENCE: "conflict",
  INVALID_PRODUCER_EPOCH: "fenced",
  OFFSET_CONDITION_FAILED: "conflict",
  INVALID_TXN_STATE: "conflict",
  PARTITION_CLOSED: "closed",
  STATE_BLOCK_CORRUPT: "corrupt",
  // State streams.
  STATE_STREAM_CORRUPT: "corrupt",
  STATE_STREAM_VERSION: "corrupt",
  STATE_STREAM_FULL: "unavailable",
  STATE_WRITE_TOO_LARGE: "invalid",
  // Topics.
  TOPIC_NOT_FOUND: "not_found",
  PARTITION_NOT_FOUND: "not_found",
  TOPIC_EXISTS: "conflict",
  TOPICS_CLOSED: "closed",
  INVALID_TOPIC_NAME: "invalid",
  INVALID_PARTITIONS: "invalid",
  INVALID_CONFIG: "invalid",
  TOO_MANY_TOPICS: "invalid",
} as const;

export const coreError: (
  code: keyof typeof CORE_ERRORS,
  message: string,
  cause?: unknown,
) => KarstError = defineErrors(CORE_ERRORS);
