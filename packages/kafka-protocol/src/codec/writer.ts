import { assert } from "@karst/runtime";
import { COPIED_RECORDS_BYTES_MAX } from "../limits.ts";
import { writeUuid } from "../uuid.ts";
import { takeRoom } from "./room.ts";
import { lengthOfRecords, utf8Length } from "./sizes.ts";

const encoder = new TextEncoder();

/** Up to this length a loop over ASCII is faster than the encoder's call. */
const SHORT_TEXT_LENGTH = 32;

/**
 * Writes one message from front to back, into a buffer of exactly its size without the record payloads that it borrows; these become
 * parts of their own between slices of the buffer.
 *
 * Invariant: #from ≤ #at ≤ #end; only bytes between them are written, and only once.
 */
export class Writer {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  readonly #parts: Uint8Array[] = [];
  /** Where the part that is being written begins. */
  #from: number;
  #at: number;

  constructor(bytes: number) {
    const room = takeRoom(bytes);
    this.#bytes = room.bytes;
    this.#view = room.view;
    this.#from = room.from;
    this.#at = room.from;
    this.#end = room.from + bytes;
  }

  /** The message's parts, in order. None is empty, unless the message is. */
  finish(): Uint8Array[] {
    assert(this.#at === this.#end, `wrote up to ${this.#at} instead of ${this.#end}`);
    // Almost every message: an array that grows from none gets room for seventeen.
    if (this.#parts.length === 0) return [this.#bytes.subarray(this.#from, this.#at)];
    if (this.#at > this.#from) this.#endPart();
    return this.#parts;
  }

  bool(value: unknown, field: string): void {
    if (typeof value !== "boolean")
      throw new TypeError(`${field}: ${String(value)} is not a boolean`);
    this.#bytes[this.#at++] = value ? 1 : 0;
  }

  int8(value: number, field: string): void {
    if ((value << 24) >> 24 !== value) throw outside(value, "int8", field);
    this.#view.setInt8(this.#at, value);
    this.#at += 1;
  }

  int16(value: number, field: string): void {
    if ((value << 16) >> 16 !== value) throw outside(value, "int16", field);
    this.#view.setInt16(this.#at, value);
    this.#at += 2;
  }

  uint16(value: number, field: string): void {
    if ((value & 0xffff) !== value) throw outside(value, "uint16", field);
    this.#view.setUint16(this.#at, value);
    this.#at += 2;
  }

  int32(value: number, field: string): void {
    if ((value | 0) !== value) throw outside(value, "int32", field);
    this.#view.setInt32(this.#at, value);
    this.#at += 4;
  }

  uint32(value: number, field: string): void {
    if (value >>> 0 !== value) throw outside(value, "uint32", field);
    this.#view.setUint32(this.#at, value);
    this.#at += 4;
  }

  int64(value: number, field: string): void {
    if (!Number.isSafeInteger(value)) throw outside(value, "int64", field);
    this.#view.setInt32(this.#at, Math.floor(value / 0x1_0000_0000));
    this.#view.setUint32(this.#at + 4, value >>> 0);
    this.#at += 8;
  }

  int64Clamped(value: number, field: string): void {
    if (value === Number.MAX_SAFE_INTEGER) this.#wide(0x7fff_ffff, 0xffff_ffff);
    else if (value === Number.MIN_SAFE_INTEGER) this.#wide(-0x8000_0000, 0);
    else this.int64(value, field);
  }

  float64(value: number, field: string): void {
    if (typeof value !== "number") throw outside(value, "float64", field);
    this.#view.setFloat64(this.#at, value);
    this.#at += 8;
  }

  uuid(value: string, field: string): void {
    if (typeof value !== "string") throw outside(value, "uuid", field);
    writeUuid(value, this.#bytes, this.#at);
    this.#at += 16;
  }

  uvarint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest >>>= 7) this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.#at++] = rest;
  }

  string(value: string | null): void {
    this.#view.setInt16(this.#at, value === null ? -1 : utf8Length(value));
    this.#at += 2;
    if (value !== null) this.#text(value);
  }

  compactString(value: string | null): void {
    this.uvarint(value === null ? 0 : utf8Length(value) + 1);
    if (value !== null) this.#text(value);
  }

  bytes(value: Uint8Array | null): void {
    this.count(value);
    if (value !== null) this.#copy(value);
  }

  compactBytes(value: Uint8Array | null): void {
    this.compactCount(value);
    if (value !== null) this.#copy(value);
  }

  records(value: Uint8Array | readonly Uint8Array[] | null, field: string): void {
    const length = value === null ? -1 : lengthOfRecords(value, field);
    this.#view.setInt32(this.#at, length);
    this.#at += 4;
    if (value !== null) this.#payload(value, length);
  }

  compactRecords(value: Uint8Array | readonly Uint8Array[] | null, field: string): void {
    const length = value === null ? -1 : lengthOfRecords(value, field);
    this.uvarint(length + 1);
    if (value !== null) this.#payload(value, length);
  }

  /** The length of an array or of bytes; null is -1. */
  count(value: { readonly length: number } | null): void {
    this.#view.setInt32(this.#at, value === null ? -1 : value.length);
    this.#at += 4;
  }

  compactCount(value: { readonly length: number } | null): void {
    this.uvarint(value === null ? 0 : value.length + 1);
  }

  #wide(high: number, low: number): void {
    this.#view.setInt32(this.#at, high);
    this.#view.setUint32(this.#at + 4, low);
    this.#at += 8;
  }

  #copy(value: Uint8Array): void {
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  #text(value: string): void {
    if (value.length <= SHORT_TEXT_LENGTH && this.#ascii(value)) return;
    this.#at += encoder.encodeInto(value, this.#bytes.subarray(this.#at, this.#end)).written;
  }

  #ascii(value: string): boolean {
    for (let i = 0; i < value.length; i += 1) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return false;
      this.#bytes[this.#at + i] = code;
    }
    this.#at += value.length;
    return true;
  }

  #payload(value: Uint8Array | readonly Uint8Array[], length: number): void {
    const slices = value instanceof Uint8Array ? [value] : value;
    if (length <= COPIED_RECORDS_BYTES_MAX) {
      for (const slice of slices) this.#copy(slice);
      return;
    }
    if (this.#at > this.#from) this.#endPart();
    for (const slice of slices) if (slice.length > 0) this.#parts.push(slice);
  }

  #endPart(): void {
    this.#parts.push(this.#bytes.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }
}

function outside(value: unknown, type: string, field: string): TypeError {
  return new TypeError(`${field}: ${String(value)} is not of type ${type}`);
}
