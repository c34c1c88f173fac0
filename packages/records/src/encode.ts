import { setInt64, viewOf } from "@karst/runtime";
import {
  AT_ATTRIBUTES,
  AT_BASE_SEQUENCE,
  AT_BASE_TIMESTAMP,
  AT_BATCH_LENGTH,
  AT_COUNT,
  AT_LAST_OFFSET_DELTA,
  AT_LEADER_EPOCH,
  AT_MAGIC,
  AT_MAX_TIMESTAMP,
  AT_PRODUCER_EPOCH,
  AT_PRODUCER_ID,
  BATCH_HEADER_BYTES,
  BATCH_PREFIX_BYTES,
  CONTROL_BIT,
  LOG_APPEND_TIME_BIT,
  MAGIC_V2,
  TRANSACTIONAL_BIT,
} from "./batch-header.ts";
import { type Codec, type CodecName, CODEC_NAMES } from "./codec.ts";
import { stampCrc } from "./crc.ts";
import { codecById } from "./known-codecs.ts";
import { decompressedBytesMax } from "./limits.ts";
import {
  recordBodyBytes,
  type RecordInput,
  timestampDelta,
  writeRecord,
} from "./record-encoding.ts";
import { varintBytes } from "./varint.ts";

/** What a batch says beside its records. The defaults are what a producer without idempotence writes. */
export interface BatchOptions {
  /** Default 0. */
  readonly baseOffset?: number;
  /** Default -1. */
  readonly leaderEpoch?: number;
  /** Default "none". */
  readonly codec?: CodecName;
  /**
   * "if-smaller" leaves records as they are where compressing them saves nothing, or makes so little of them that they could not be
   * opened within the limits. Default "always".
   */
  readonly compress?: "always" | "if-smaller";
  /** Default: none (-1). */
  readonly producer?: {
    readonly id: number;
    readonly epoch: number;
    readonly baseSequence: number;
  };
  readonly transactional?: boolean;
  readonly control?: boolean;
  /** Makes the batch one of LogAppendTime. */
  readonly logAppendTimeMs?: number;
}

/** What the header of a finished run of records needs to know about them, and what a reader of the header cannot see. */
export interface RecordSummary {
  /** ≥ 1. */
  readonly count: number;
  readonly baseTimestampMs: number;
  readonly minTimestampMs: number;
  readonly maxTimestampMs: number;
  /** Number of the first record without a key; undefined: each has one. */
  readonly firstKeyless: number | undefined;
}

/**
 * A batch as this package has just made it: its CRC, its header and each of its records are right, so that nobody has to check them
 * again. The type is nominal, and made here only: bytes that came from elsewhere never are one.
 */
export class EncodedBatch {
  readonly #bytes: Uint8Array;
  readonly minTimestampMs: number;
  /** Number of the first record without a key; undefined: each has one. */
  readonly firstKeyless: number | undefined;

  constructor(bytes: Uint8Array, learnt: Pick<RecordSummary, "minTimestampMs" | "firstKeyless">) {
    this.#bytes = bytes;
    this.minTimestampMs = learnt.minTimestampMs;
    this.firstKeyless = learnt.firstKeyless;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }
}

/**
 * One batch of `records`, which are copied, with offset deltas 0, 1, 2 …
 *
 * @param records at least one.
 * @throws KarstError `INVALID_RECORD` (`invalid`): a timestamp that is no safe integer. `UNSUPPORTED_CODEC` (`invalid`).
 */
export function encodeBatch(
  records: readonly RecordInput[],
  options: BatchOptions = {},
): Uint8Array {
  return encodeRecords(records, options).bytes;
}

/** The same, with what was learnt about the records. */
export function encodeRecords(
  records: readonly RecordInput[],
  options: BatchOptions = {},
): EncodedBatch {
  const first = records[0];
  if (first === undefined) throw new TypeError("a batch has at least one record");
  const codec = codecFor(options.codec);
  const baseTimestampMs = first.timestampMs;
  const bodies = records.length === 1 ? undefined : new Int32Array(records.length);
  let bytes = BATCH_HEADER_BYTES;
  let body = 0;
  let minTimestampMs = baseTimestampMs;
  let maxTimestampMs = baseTimestampMs;
  let firstKeyless: number | undefined;
  for (let i = 0; i < records.length; i += 1) {
    const record = records[i] as RecordInput;
    if (record.timestampMs < minTimestampMs) minTimestampMs = record.timestampMs;
    if (record.timestampMs > maxTimestampMs) maxTimestampMs = record.timestampMs;
    if (record.key == null) firstKeyless ??= i;
    body = recordBodyBytes(record, timestampDelta(record, baseTimestampMs), i);
    if (bodies !== undefined) bodies[i] = body;
    bytes += varintBytes(body) + body;
  }
  const batch = new Uint8Array(bytes);
  let at = BATCH_HEADER_BYTES;
  for (let i = 0; i < records.length; i += 1) {
    const record = records[i] as RecordInput;
    const deltas = { offsetDelta: i, timestampDelta: record.timestampMs - baseTimestampMs };
    at = writeRecord(batch, at, record, deltas, bodies?.[i] ?? body);
  }
  return finishBatch(
    batch,
    at,
    { count: records.length, baseTimestampMs, minTimestampMs, maxTimestampMs, firstKeyless },
    options,
    codec,
  );
}

/** The codec of that name; undefined: none. @throws KarstError `UNSUPPORTED_CODEC` (`invalid`). */
export function codecFor(name: CodecName = "none"): Codec | undefined {
  return name === "none" ? undefined : codecById(CODEC_NAMES.indexOf(name));
}

/**
 * Writes the header into the first 61 bytes of `batch`, whose records end at `end`, and compresses them where asked to.
 *
 * @returns bytes that are a view of `batch`, or fresh where compressed.
 */
export function finishBatch(
  batch: Uint8Array,
  end: number,
  summary: RecordSummary,
  options: BatchOptions,
  codec: Codec | undefined,
): EncodedBatch {
  const records = batch.subarray(BATCH_HEADER_BYTES, end);
  const blob = codec === undefined ? undefined : compressed(records, codec, options);
  const whole = blob === undefined ? batch.subarray(0, end) : withRoomForHeader(blob);
  const view = viewOf(whole);
  const producer = options.producer;
  setInt64(view, 0, options.baseOffset ?? 0);
  view.setInt32(AT_BATCH_LENGTH, whole.length - BATCH_PREFIX_BYTES);
  view.setInt32(AT_LEADER_EPOCH, options.leaderEpoch ?? -1);
  view.setInt8(AT_MAGIC, MAGIC_V2);
  view.setInt16(AT_ATTRIBUTES, (blob === undefined ? 0 : (codec?.id ?? 0)) | flags(options));
  view.setInt32(AT_LAST_OFFSET_DELTA, summary.count - 1);
  setInt64(view, AT_BASE_TIMESTAMP, summary.baseTimestampMs);
  setInt64(view, AT_MAX_TIMESTAMP, options.logAppendTimeMs ?? summary.maxTimestampMs);
  setInt64(view, AT_PRODUCER_ID, producer?.id ?? -1);
  view.setInt16(AT_PRODUCER_EPOCH, producer?.epoch ?? -1);
  view.setInt32(AT_BASE_SEQUENCE, producer?.baseSequence ?? -1);
  view.setInt32(AT_COUNT, summary.count);
  stampCrc(view);
  return new EncodedBatch(whole, summary);
}

function flags(options: BatchOptions): number {
  return (
    (options.transactional === true ? TRANSACTIONAL_BIT : 0) |
    (options.control === true ? CONTROL_BIT : 0) |
    (options.logAppendTimeMs === undefined ? 0 : LOG_APPEND_TIME_BIT)
  );
}

/** Undefined: better left as they are. */
function compressed(
  records: Uint8Array,
  codec: Codec,
  options: BatchOptions,
): Uint8Array | undefined {
  const blob = codec.compress(records);
  if (options.compress !== "if-smaller") return blob;
  const worth = blob.length < records.length && records.length <= decompressedBytesMax(blob.length);
  return worth ? blob : undefined;
}

function withRoomForHeader(blob: Uint8Array): Uint8Array {
  const whole = new Uint8Array(BATCH_HEADER_BYTES + blob.length);
  whole.set(blob, BATCH_HEADER_BYTES);
  return whole;
}
