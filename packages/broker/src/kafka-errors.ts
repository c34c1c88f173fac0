import { ErrorCode } from "@karst/kafka-protocol";
import { isKarstError, type ErrorKind } from "@karst/runtime";

/** Karst's codes that have a Kafka code of their own. */
const codeToKafka: ReadonlyMap<string, number> = new Map([
  ["TRUNCATED_BATCH", ErrorCode.INVALID_RECORD],
  ["CORRUPT_BATCH", ErrorCode.CORRUPT_MESSAGE],
  ["UNSUPPORTED_MAGIC", ErrorCode.INVALID_RECORD],
  ["INVALID_RECORD", ErrorCode.INVALID_RECORD],
  ["INVALID_TIMESTAMP", ErrorCode.INVALID_TIMESTAMP],
  ["BATCH_TOO_LARGE", ErrorCode.MESSAGE_TOO_LARGE],
  // What makes Java's producer cut a batch into smaller ones.
  ["DECOMPRESSED_TOO_LARGE", ErrorCode.MESSAGE_TOO_LARGE],
  ["FRAME_TOO_LARGE", ErrorCode.MESSAGE_TOO_LARGE],
  ["UNSUPPORTED_CODEC", ErrorCode.UNSUPPORTED_COMPRESSION_TYPE],
  ["OUT_OF_ORDER_SEQUENCE", ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER],
  ["INVALID_PRODUCER_EPOCH", ErrorCode.INVALID_PRODUCER_EPOCH],
  ["INVALID_TXN_STATE", ErrorCode.INVALID_TXN_STATE],
  ["OFFSET_OUT_OF_RANGE", ErrorCode.OFFSET_OUT_OF_RANGE],
  ["TOPIC_NOT_FOUND", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
  ["PARTITION_NOT_FOUND", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
  ["TOPIC_EXISTS", ErrorCode.TOPIC_ALREADY_EXISTS],
  ["INVALID_TOPIC_NAME", ErrorCode.INVALID_TOPIC_EXCEPTION],
  ["INVALID_PARTITIONS", ErrorCode.INVALID_PARTITIONS],
  ["INVALID_CONFIG", ErrorCode.INVALID_CONFIG],
  ["TOO_MANY_TOPICS", ErrorCode.POLICY_VIOLATION],

  ["STREAM_NOT_OWNED", ErrorCode.NOT_LEADER_OR_FOLLOWER],
]);

/**
 * For all other codes. Each is one that makes a client do what the kind asks of its caller: retriable where a retry can help,
 * and never one that says "not written" where the outcome is unknown to a producer without idempotence.
 */
const kindToKafka: Readonly<Record<ErrorKind, number>> = {
  invalid: ErrorCode.INVALID_REQUEST,
  not_found: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  out_of_range: ErrorCode.OFFSET_OUT_OF_RANGE,
  conflict: ErrorCode.UNKNOWN_SERVER_ERROR,
  fenced: ErrorCode.NOT_LEADER_OR_FOLLOWER,
  closed: ErrorCode.NOT_LEADER_OR_FOLLOWER,
  unavailable: ErrorCode.KAFKA_STORAGE_ERROR,
  indeterminate: ErrorCode.REQUEST_TIMED_OUT,
  corrupt: ErrorCode.UNKNOWN_SERVER_ERROR,
  internal: ErrorCode.UNKNOWN_SERVER_ERROR,
};

/** The one place where Karst's errors become Kafka's. Anything that is not a Karst error is UNKNOWN_SERVER_ERROR. */
export function kafkaErrorOf(error: unknown): number {
  if (!isKarstError(error)) return ErrorCode.UNKNOWN_SERVER_ERROR;
  return codeToKafka.get(error.code) ?? kindToKafka[error.kind];
}

/** What a client is told in words; never the text of an error that is not ours. */
export function errorMessageOf(error: unknown): string {
  return isKarstError(error) ? error.message : "unexpected error, see the broker's log";
}
