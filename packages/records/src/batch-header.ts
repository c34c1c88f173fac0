import { getInt64 } from "@karst/runtime";

/*
 * Record batch, magic 2; big-endian:
 *
 *    0 baseOffset i64            23 lastOffsetDelta i32     51 producerEpoch i16
 *    8 batchLength i32           27 baseTimestamp i64       53 baseSequence i32
 *   12 partitionLeaderEpoch i32  35 maxTimestamp i64        57 recordsCount i32
 *   16 magic i8                  43 producerId i64          61 records, as one compressed blob where there is a codec
 *   17 crc u32: CRC-32C of [21, end)
 *   21 attributes i16
 *
 * batchLength counts what follows it. Source: org.apache.kafka.common.record.DefaultRecordBatch (KIP-98).
 */

/** Bytes before the records. */
export const BATCH_HEADER_BYTES = 61;
/** Bytes that `batchLength` does not count. */
export const BATCH_PREFIX_BYTES = 12;
/** Where the bytes begin that the CRC covers. */
export const CRC_START = 21;
export const MAGIC_V2 = 2;

export const AT_BATCH_LENGTH = 8;
export const AT_LEADER_EPOCH = 12;
export const AT_MAGIC = 16;
export const AT_CRC = 17;
export const AT_ATTRIBUTES = 21;
export const AT_LAST_OFFSET_DELTA = 23;
export const AT_BASE_TIMESTAMP = 27;
export const AT_MAX_TIMESTAMP = 35;
export const AT_PRODUCER_ID = 43;
export const AT_PRODUCER_EPOCH = 51;
export const AT_BASE_SEQUENCE = 53;
export const AT_COUNT = 57;

/** Bits of the attributes. */
export const CODEC_MASK = 0x07;
export const LOG_APPEND_TIME_BIT = 0x08;
export const TRANSACTIONAL_BIT = 0x10;
export const CONTROL_BIT = 0x20;
export const DELETE_HORIZON_BIT = 0x40;

/** Every field of a batch's header. */
export interface BatchHeader {
  readonly baseOffset: number;
  /** Of the whole batch, its header included. */
  readonly bytes: number;
  readonly leaderEpoch: number;
  readonly magic: number;
  readonly crc: number;
  readonly attributes: number;
  readonly lastOffsetDelta: number;
  readonly baseTimestampMs: number;
  readonly maxTimestampMs: number;
  /** -1: none. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly count: number;
}

// Fields of the batch that begins at `at`, read without allocating. The caller has made sure that a header is there. An int64
// outside the safe integers throws `TRUNCATED` (`corrupt`).

export function readBaseOffset(view: DataView, at = 0): number {
  return getInt64(view, at);
}

/** Bytes of the whole batch: 12 more than its length field says. */
export function readBatchBytes(view: DataView, at = 0): number {
  return view.getInt32(at + AT_BATCH_LENGTH) + BATCH_PREFIX_BYTES;
}

export function readLeaderEpoch(view: DataView, at = 0): number {
  return view.getInt32(at + AT_LEADER_EPOCH);
}

export function readMagic(view: DataView, at = 0): number {
  return view.getInt8(at + AT_MAGIC);
}

export function readCrc(view: DataView, at = 0): number {
  return view.getUint32(at + AT_CRC);
}

export function readAttributes(view: DataView, at = 0): number {
  return view.getInt16(at + AT_ATTRIBUTES);
}

export function readLastOffsetDelta(view: DataView, at = 0): number {
  return view.getInt32(at + AT_LAST_OFFSET_DELTA);
}

export function readBaseTimestamp(view: DataView, at = 0): number {
  return getInt64(view, at + AT_BASE_TIMESTAMP);
}

export function readMaxTimestamp(view: DataView, at = 0): number {
  return getInt64(view, at + AT_MAX_TIMESTAMP);
}

export function readProducerId(view: DataView, at = 0): number {
  return getInt64(view, at + AT_PRODUCER_ID);
}

export function readProducerEpoch(view: DataView, at = 0): number {
  return view.getInt16(at + AT_PRODUCER_EPOCH);
}

export function readBaseSequence(view: DataView, at = 0): number {
  return view.getInt32(at + AT_BASE_SEQUENCE);
}

export function readCount(view: DataView, at = 0): number {
  return view.getInt32(at + AT_COUNT);
}

/** All fields at once, where an object does no harm. */
export function readBatchHeader(view: DataView, at = 0): BatchHeader {
  return {
    baseOffset: readBaseOffset(view, at),
    bytes: readBatchBytes(view, at),
    leaderEpoch: readLeaderEpoch(view, at),
    magic: readMagic(view, at),
    crc: readCrc(view, at),
    attributes: readAttributes(view, at),
    lastOffsetDelta: readLastOffsetDelta(view, at),
    baseTimestampMs: readBaseTimestamp(view, at),
    maxTimestampMs: readMaxTimestamp(view, at),
    producerId: readProducerId(view, at),
    producerEpoch: readProducerEpoch(view, at),
    baseSequence: readBaseSequence(view, at),
    count: readCount(view, at),
  };
}
