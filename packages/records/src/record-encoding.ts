import { utf8Encode } from "@karst/runtime";
import { recordsError } from "./errors.ts";
import { varintBytes, varlongBytes, writeVarint, writeVarlong } from "./varint.ts";

/** A record to be written. Absent key, value: null. */
export interface RecordInput {
  /** -1: none. A safe integer. */
  readonly timestampMs: number;
  readonly key?: Uint8Array | null | undefined;
  readonly value?: Uint8Array | null | undefined;
  readonly headers?:
    | readonly { readonly key: string; readonly value: Uint8Array | null }[]
    | undefined;
}

/** A record's place in its batch. */
export interface RecordDeltas {
  readonly offsetDelta: number;
  readonly timestampDelta: number;
}

/** Bytes of the record after its length field. */
export function recordBodyBytes(
  record: RecordInput,
  timestampDelta: number,
  offsetDelta: number,
): number {
  let bytes =
    1 +
    varlongBytes(timestampDelta) +
    varintBytes(offsetDelta) +
    fieldBytes(record.key) +
    fieldBytes(record.value) +
    varintBytes(record.headers?.length ?? 0);
  if (record.headers !== undefined) {
    for (const header of record.headers) {
      const key = utf8Bytes(header.key);
      bytes += varintBytes(key) + key + fieldBytes(header.value);
    }
  }
  return bytes;
}

/** Writes a record of `bodyBytes` (from `recordBodyBytes`) and its length field; returns the position after it. */
export function writeRecord(
  into: Uint8Array,
  position: number,
  record: RecordInput,
  deltas: RecordDeltas,
  bodyBytes: number,
): number {
  let at = writeVarint(into, position, bodyBytes);
  into[at++] = 0;
  at = writeVarlong(into, at, deltas.timestampDelta);
  at = writeVarint(into, at, deltas.offsetDelta);
  at = writeField(into, at, record.key);
  at = writeField(into, at, record.value);
  at = writeVarint(into, at, record.headers?.length ?? 0);
  if (record.headers !== undefined) {
    for (const header of record.headers) {
      at = writeField(into, at, utf8Encode(header.key));
      at = writeField(into, at, header.value);
    }
  }
  return at;
}

/**
 * Distance of a record's timestamp from its batch's first.
 *
 * @throws KarstError `INVALID_RECORD` (`invalid`) where the timestamp or the distance is no safe integer.
 */
export function timestampDelta(record: RecordInput, baseTimestampMs: number): number {
  const delta = record.timestampMs - baseTimestampMs;
  if (!Number.isSafeInteger(record.timestampMs) || !Number.isSafeInteger(delta)) {
    throw recordsError(
      "INVALID_RECORD",
      `timestamp ${record.timestampMs} after ${baseTimestampMs} does not fit a batch`,
    );
  }
  return delta;
}

function fieldBytes(field: Uint8Array | null | undefined): number {
  return field === null || field === undefined ? 1 : varintBytes(field.length) + field.length;
}

function writeField(
  into: Uint8Array,
  position: number,
  field: Uint8Array | null | undefined,
): number {
  if (field === null || field === undefined) {
    // Zigzag of −1.
    into[position] = 1;
    return position + 1;
  }
  const at = writeVarint(into, position, field.length);
  into.set(field, at);
  return at + field.length;
}

/** Bytes of a text in UTF-8. A lone surrogate becomes U+FFFD, three bytes like itself. */
function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) {
      bytes += 1;
    } else if (isHighSurrogate(unit) && isLowSurrogate(text.charCodeAt(i + 1))) {
      // Two units, four bytes.
      bytes += 2;
      i += 1;
    } else {
      bytes += 2;
    }
  }
  return bytes;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
