import { COPIED_RECORDS_BYTES_MAX, STRING_BYTES_MAX } from "../limits.ts";

/** Bytes of record payloads that a message borrows: on the wire, but not in the encoder's own buffer. */
export interface BorrowedBytes {
  bytes: number;
}

/** Bytes of an unsigned LEB128. */
export function sizeOfUvarint(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

/** Bytes of `text` as UTF-8, as `TextEncoder` writes it: half a surrogate pair becomes U+FFFD. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    if (code < 0x800) bytes += 1;
    else if (code >= 0xd800 && code < 0xdc00 && isLowSurrogate(text.charCodeAt(i + 1))) {
      bytes += 2;
      i += 1;
    } else bytes += 2;
  }
  return bytes;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}

/** UTF-8 bytes of a field that must be a string. */
function lengthOfString(value: unknown, field: string): number {
  if (typeof value !== "string") throw mismatch(value, "a string", field);
  const length = utf8Length(value);
  if (length > STRING_BYTES_MAX)
    throw new TypeError(`${field}: a string of ${length} bytes, the limit is ${STRING_BYTES_MAX}`);
  return length;
}

export function sizeOfString(value: unknown, field: string): number {
  return 2 + lengthOfString(value, field);
}

export function sizeOfCompactString(value: unknown, field: string): number {
  const length = lengthOfString(value, field);
  return sizeOfUvarint(length + 1) + length;
}

export function sizeOfBytes(value: unknown, field: string): number {
  return 4 + lengthOfBytes(value, field);
}

export function sizeOfCompactBytes(value: unknown, field: string): number {
  const length = lengthOfBytes(value, field);
  return sizeOfUvarint(length + 1) + length;
}

export function lengthOfBytes(value: unknown, field: string): number {
  if (value instanceof Uint8Array) return value.length;
  throw mismatch(value, "bytes", field);
}

/** Bytes of a records value: one array or several. */
export function lengthOfRecords(value: unknown, field: string): number {
  if (value instanceof Uint8Array) return value.length;
  let length = 0;
  for (const part of arrayOf(value, field)) length += lengthOfBytes(part, field);
  return length;
}

/** Bytes of a records value in the encoder's own buffer; what it borrows instead is added to `borrowed`. */
export function sizeOfRecords(value: unknown, field: string, borrowed: BorrowedBytes): number {
  return 4 + ownBytes(lengthOfRecords(value, field), borrowed);
}

export function sizeOfCompactRecords(
  value: unknown,
  field: string,
  borrowed: BorrowedBytes,
): number {
  const length = lengthOfRecords(value, field);
  return sizeOfUvarint(length + 1) + ownBytes(length, borrowed);
}

function ownBytes(length: number, borrowed: BorrowedBytes): number {
  if (length <= COPIED_RECORDS_BYTES_MAX) return length;
  borrowed.bytes += length;
  return 0;
}

/** An array field's elements. @throws TypeError when it is none. */
export function arrayOf(value: unknown, field: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw mismatch(value, "an array", field);
}

/** For a value in a version that lacks its field. */
export function absent(field: string): TypeError {
  return new TypeError(`${field}: has a value, and this version has no such field`);
}

function mismatch(value: unknown, expected: string, field: string): TypeError {
  return new TypeError(
    `${field}: ${value === null ? "null" : typeof value} where ${expected} must be`,
  );
}
