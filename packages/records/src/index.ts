export { BatchBuilder, type BatchBuilderOptions } from "./batch-builder.ts";
export {
  BATCH_HEADER_BYTES,
  type BatchHeader,
  CODEC_MASK,
  CONTROL_BIT,
  LOG_APPEND_TIME_BIT,
  readAttributes,
  readBaseOffset,
  readBaseSequence,
  readBaseTimestamp,
  readBatchBytes,
  readBatchHeader,
  readCount,
  readCrc,
  readLastOffsetDelta,
  readLeaderEpoch,
  readMagic,
  readMaxTimestamp,
  readProducerEpoch,
  readProducerId,
  TRANSACTIONAL_BIT,
} from "./batch-header.ts";
export { type Codec, CODEC_NAMES, type CodecName, type CodecTwins } from "./codec.ts";
export { batchCrc } from "./crc.ts";
export {
  BatchRecords,
  decodeBatch,
  type DecodedRecord,
  openBatch,
  openBatchAsync,
  splitBatches,
} from "./decode.ts";
export { type BatchOptions, encodeBatch, type EncodedBatch, encodeRecords } from "./encode.ts";
export { RECORDS_ERRORS, recordsError, UNOPENABLE } from "./errors.ts";
export { codecById, codecKnown, codecTwins } from "./known-codecs.ts";
export { BATCH_BYTES_MAX, DECOMPRESSED_BYTES_MAX, DECOMPRESSION_RATIO_MAX } from "./limits.ts";
export { murmur2, partitionForKey } from "./murmur2.ts";
export {
  patchBaseOffset,
  patchLeaderEpoch,
  patchMaxTimestamp,
  stampLogAppendTime,
} from "./patch.ts";
export { RecordCursor, type RecordHeader } from "./record-cursor.ts";
export type { RecordInput } from "./record-encoding.ts";
export {
  validateBatch,
  type ValidateBatchOptions,
  validateEncoded,
  verifyBatch,
} from "./validate.ts";
