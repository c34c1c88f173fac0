import { utf8Decode } from "@karst/runtime";
import { recordsError } from "./errors.ts";

/** A record's header. Keys are text, and may repeat. */
export interface RecordHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/**
 * Walks the (uncompressed) records of one batch without allocating: `next` moves to a record and fills the fields.
 *
 *   record := length varint, attributes i8, timestampDelta varlong, offsetDelta varint,
 *             keyLength varint, key, valueLength varint, value, headerCount varint, header*
 *   header := keyLength varint, key, valueLength varint, value            lengths of −1: null (not for header keys)
 *
 * Invariant: after `next` has returned true the whole record, its headers included, has been found to lie inside the records.
 * Source: org.apache.kafka.common.record.DefaultRecord (KIP-98).
 */
export class RecordCursor {
  /** What the positions below are positions in. */
  readonly bytes: Uint8Array;
  readonly count: number;
  /** Records passed, the present one included. */
  passed = 0;
  /** Relative to the batch's base. */
  offsetDelta = 0;
  timestampDelta = 0;
  keyStart = 0;
  /** -1: null. */
  keyLength = -1;
  valueStart = 0;
  /** -1: null. */
  valueLength = -1;
  headerCount = 0;
  #headersStart = 0;
  #position: number;
  readonly #end: number;

  /** @param count records that `bytes` must hold from `start` to its end, neither more nor fewer. */
  constructor(bytes: Uint8Array, start: number, count: number) {
    this.bytes = bytes;
    this.count = count;
    this.#position = start;
    this.#end = bytes.length;
  }

  /**
   * Moves to the next record.
   *
   * @returns false after the last one.
   * @throws KarstError `CORRUPT_BATCH` (`corrupt`).
   */
  next(): boolean {
    if (this.passed === this.count) {
      if (this.#position !== this.#end) throw corrupt("bytes after the last record");
      return false;
    }
    const length = this.#varint();
    const end = this.#position + length;
    if (length < 0 || end > this.#end) throw corrupt(`record of ${length} bytes`);
    this.#position += 1;
    this.timestampDelta = this.#varlong();
    this.offsetDelta = this.#varint();
    this.keyLength = this.#varint();
    this.keyStart = this.#position;
    this.#skip(this.keyLength, end);
    this.valueLength = this.#varint();
    this.valueStart = this.#position;
    this.#skip(this.valueLength, end);
    this.headerCount = this.#varint();
    this.#headersStart = this.#position;
    if (this.headerCount !== 0) this.#skipHeaders(end);
    if (this.#position !== end) throw corrupt("record length and content disagree");
    this.passed += 1;
    return true;
  }

  /** A view. */
  key(): Uint8Array | null {
    return this.#view(this.keyStart, this.keyLength);
  }

  /** A view. */
  value(): Uint8Array | null {
    return this.#view(this.valueStart, this.valueLength);
  }

  /** Values are views. Malformed UTF-8 in a key becomes U+FFFD. */
  headers(): readonly RecordHeader[] {
    if (this.headerCount === 0) return NO_HEADERS;
    const resume = this.#position;
    this.#position = this.#headersStart;
    const headers: RecordHeader[] = [];
    for (let i = 0; i < this.headerCount; i += 1) {
      const keyLength = this.#varint();
      const key = utf8Decode(this.bytes.subarray(this.#position, this.#position + keyLength));
      this.#position += keyLength;
      const valueLength = this.#varint();
      headers.push({ key, value: this.#view(this.#position, valueLength) });
      if (valueLength > 0) this.#position += valueLength;
    }
    this.#position = resume;
    return headers;
  }

  #view(start: number, length: number): Uint8Array | null {
    return length < 0 ? null : this.bytes.subarray(start, start + length);
  }

  /** Passes a nullable field. */
  #skip(length: number, end: number): void {
    if (length < 0) {
      if (length !== -1) throw corrupt(`length ${length}`);
      return;
    }
    this.#position += length;
    if (this.#position > end) throw corrupt(`field of ${length} bytes`);
  }

  #skipHeaders(end: number): void {
    const count = this.headerCount;
    // A header has at least two bytes.
    if (count < 0 || count * 2 > end - this.#position) throw corrupt(`${count} headers`);
    for (let i = 0; i < count; i += 1) {
      const keyLength = this.#varint();
      if (keyLength < 0) throw corrupt("header without a key");
      this.#skip(keyLength, end);
      this.#skip(this.#varint(), end);
    }
  }

  #varint(): number {
    const bytes = this.bytes;
    const position = this.#position;
    // Almost every number has one byte or two. Past the end of the array both are undefined, and the long way finds that out.
    const first = bytes[position] as number;
    if (first < 0x80) {
      this.#position = position + 1;
      return (first >>> 1) ^ -(first & 1);
    }
    const second = bytes[position + 1] as number;
    if (second < 0x80) {
      this.#position = position + 2;
      const zigzag = (first & 0x7f) | (second << 7);
      return (zigzag >>> 1) ^ -(zigzag & 1);
    }
    return this.#longVarint();
  }

  #longVarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (shift === 28 && byte > 0x0f) break;
        return (value >>> 1) ^ -(value & 1);
      }
    }
    throw corrupt("varint longer than 32 bits");
  }

  #varlong(): number {
    const bytes = this.bytes;
    const position = this.#position;
    const first = bytes[position] as number;
    if (first < 0x80) {
      this.#position = position + 1;
      return (first >>> 1) ^ -(first & 1);
    }
    const second = bytes[position + 1] as number;
    if (second < 0x80) {
      this.#position = position + 2;
      const zigzag = (first & 0x7f) | (second << 7);
      return (zigzag >>> 1) ^ -(zigzag & 1);
    }
    return this.#longVarlong();
  }

  #longVarlong(): number {
    let byte = this.#byte();
    const low = byte & 0x7f;
    let high = 0;
    for (let factor = 1; byte >= 0x80; factor *= 0x80) {
      if (factor > 2 ** 56) throw corrupt("varlong longer than 64 bits");
      byte = this.#byte();
      high += (byte & 0x7f) * factor;
    }
    const magnitude = high * 0x40 + (low >>> 1);
    if (!Number.isSafeInteger(magnitude))
      throw corrupt(`timestamp delta ${magnitude} is not a safe integer`);
    return (low & 1) === 0 ? magnitude : -magnitude - 1;
  }

  #byte(): number {
    if (this.#position >= this.#end) throw corrupt("records end inside a number");
    return this.bytes[this.#position++] as number;
  }
}

const NO_HEADERS: readonly RecordHeader[] = [];

function corrupt(what: string): Error {
  return recordsError("CORRUPT_BATCH", `damaged records: ${what}`);
}
