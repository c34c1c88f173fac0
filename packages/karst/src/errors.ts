import { defineErrors, type KarstError } from "@karst/runtime";

/** Codes of this package. */
export const KARST_ERRORS = {
  /** Options of `open` or of the command that are unknown, malformed or contradict each other. */
  INVALID_OPTIONS: "invalid",
  /** A record, or a batch of them, that cannot be appended as it is. */
  INVALID_APPEND: "invalid",
  /** The keys of one atomic batch belong to different partitions. */
  KEYS_DISAGREE: "invalid",
  /** A position that names no partition of a topic with several, or a partition that is not read. */
  INVALID_POSITION: "invalid",
  /** A codec refused a key or a value. */
  ENCODING_FAILED: "invalid",
  DECODING_FAILED: "invalid",
  /** A batch as its producer wrote it, whose records cannot be opened. The text says where the next one begins. */
  UNREADABLE_BATCH: "corrupt",
  /** The partition ended before it was certain what an `ifOffset` was compared with. Nothing was appended. */
  CONDITION_UNDECIDED: "closed",
  /** The topic could not be created, or its partition not be opened, in a few tries. Nothing was appended. */
  TOPIC_NOT_READY: "unavailable",
  /** More bytes wait for their partition to open than may. */
  APPEND_BACKLOG_FULL: "unavailable",
  /** The session was closed, or an earlier append of it failed. */
  SESSION_CLOSED: "closed",
  SESSION_FAILED: "closed",
  /** Kafka clients are listened to already. */
  LISTENER_OPEN: "conflict",
} as const;

export const karstError: (
  code: keyof typeof KARST_ERRORS,
  message: string,
  cause?: unknown,
) => KarstError = defineErrors(KARST_ERRORS);
