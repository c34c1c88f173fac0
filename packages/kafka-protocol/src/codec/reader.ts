import type { KarstError } from "@karst/runtime";
import { protocolError } from "../errors.ts";
import { ELEMENTS_MAX, STRING_BYTES_MAX } from "../limits.ts";
import { readUuid } from "../uuid.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Up to this length a loop over ASCII is faster than the decoder's call. */
const SHORT_TEXT_BYTES = 24;

/**
 * Reads one message from front to back. Every method checks what it reads against the bytes left, before it allocates, and throws
 * `MALFORMED_MESSAGE` (`corrupt`) otherwise.
 *
 * Invariant: 0 ≤ at ≤ #end ≤ bytes.length; #end is below bytes.length only within a tagged field.
 */
export class Reader {
  /** Position of the next byte. */
  at: number;
  readonly #bytes: Uint8Array;
  readonly #message: string;
  #end: number;
  #elementsLeft: number;

  /** @param message What is read, for the text of errors. */
  constructor(bytes: Uint8Array, message: string, elementsMax: number = ELEMENTS_MAX) {
    this.at = 0;
    this.#bytes = bytes;
    this.#message = message;
    this.#end = bytes.length;
    this.#elementsLeft = elementsMax;
  }

  /** An error for the bytes at `position`. */
  malformed(what: string, position: number = this.at): KarstError {
    return protocolError("MALFORMED_MESSAGE", `${this.#message}: ${what} at byte ${position}`);
  }

  /** Ends the message. */
  finish(): void {
    if (this.at !== this.#end) throw this.malformed(`${this.#end - this.at} bytes too many`);
  }

  bool(): boolean {
    return this.#bytes[this.#take(1)] !== 0;
  }

  int8(): number {
    return ((this.#bytes[this.#take(1)] as number) << 24) >> 24;
  }

  int16(): number {
    return (this.uint16() << 16) >> 16;
  }

  uint16(): number {
    const at = this.#take(2);
    const bytes = this.#bytes;
    return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  }

  int32(): number {
    return this.#word(this.#take(4));
  }

  uint32(): number {
    return this.#word(this.#take(4)) >>> 0;
  }

  int64(): number {
    const value = this.#wide();
    if (Number.isSafeInteger(value)) return value;
    throw this.malformed(`the int64 ${value} is not a safe integer`, this.at - 8);
  }

  int64Clamped(): number {
    return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, this.#wide()));
  }

  float64(): number {
    const { buffer, byteOffset } = this.#bytes;
    return new DataView(buffer, byteOffset + this.#take(8), 8).getFloat64(0);
  }

  uuid(): string {
    return readUuid(this.#bytes, this.#take(16));
  }

  string(): string {
    return this.#text(this.#present(this.int16(), "string"));
  }

  stringOrNull(): string | null {
    const length = this.int16();
    return length === -1 ? null : this.#text(length);
  }

  compactString(): string {
    return this.#text(this.#present(this.#compactLength(), "string"));
  }

  compactStringOrNull(): string | null {
    const length = this.#compactLength();
    return length === -1 ? null : this.#text(length);
  }

  bytes(): Uint8Array {
    return this.#slice(this.#present(this.int32(), "bytes"));
  }

  bytesOrNull(): Uint8Array | null {
    const length = this.int32();
    return length === -1 ? null : this.#slice(length);
  }

  compactBytes(): Uint8Array {
    return this.#slice(this.#present(this.#compactLength(), "bytes"));
  }

  compactBytesOrNull(): Uint8Array | null {
    const length = this.#compactLength();
    return length === -1 ? null : this.#slice(length);
  }

  /** Elements of an array, each of at least `bytesMin` bytes. */
  count(bytesMin: number): number {
    return this.#elements(this.#present(this.int32(), "array"), bytesMin);
  }

  /** As `count`; -1 for null. */
  countOrNull(bytesMin: number): number {
    const count = this.int32();
    return count === -1 ? -1 : this.#elements(count, bytesMin);
  }

  compactCount(bytesMin: number): number {
    return this.#elements(this.#present(this.#compactLength(), "array"), bytesMin);
  }

  compactCountOrNull(bytesMin: number): number {
    const count = this.#compactLength();
    return count === -1 ? -1 : this.#elements(count, bytesMin);
  }

  /** Whether a nullable struct follows. */
  present(): boolean {
    const marker = this.int8();
    if (marker === 1 || marker === -1) return marker === 1;
    throw this.malformed(`${marker} where a struct begins or is null`, this.at - 1);
  }

  /** Unsigned LEB128 of at most 32 bits; padding is accepted within 5 bytes. */
  uvarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes[this.#take(1)] as number;
      if (shift === 28 && byte > 0x0f) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw this.malformed("a variable-length integer beyond 32 bits", this.at - 1);
  }

  /** The id of the next tagged field. Ids grow, so each occurs once. @param previous -1 for the first. */
  tag(previous: number): number {
    const tag = this.uvarint();
    if (tag > previous) return tag;
    throw this.malformed(`tag ${tag} after tag ${previous}`);
  }

  /** Begins a tagged field's value: nothing is read beyond it. @returns What `endTagged` takes. */
  beginTagged(): number {
    const size = this.uvarint();
    const outerEnd = this.#end;
    this.#end = this.#take(size) + size;
    this.at = this.#end - size;
    return outerEnd;
  }

  endTagged(outerEnd: number): void {
    if (this.at !== this.#end)
      throw this.malformed(`${this.#end - this.at} bytes too many in a tagged field`);
    this.#end = outerEnd;
  }

  /** Passes over the value of a tagged field that is not known. */
  skipTagged(): void {
    this.at = this.#end;
  }

  /** Passes over a tag section in which no tag is known. */
  skipTags(): void {
    let tag = -1;
    for (let left = this.uvarint(); left > 0; left -= 1) {
      tag = this.tag(tag);
      this.#take(this.uvarint());
    }
  }

  /** Where the next `length` bytes begin. */
  #take(length: number): number {
    const at = this.at;
    if (length > this.#end - at)
      throw this.malformed(`${length} bytes wanted, ${this.#end - at} left`);
    this.at = at + length;
    return at;
  }

  #wide(): number {
    const at = this.#take(8);
    return this.#word(at) * 0x1_0000_0000 + (this.#word(at + 4) >>> 0);
  }

  /** An int32. From bytes: most messages are so short that a `DataView` costs more to make than it saves. */
  #word(at: number): number {
    const bytes = this.#bytes;
    return (
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)
    );
  }

  #compactLength(): number {
    return this.uvarint() - 1;
  }

  #present(length: number, what: string): number {
    if (length === -1) throw this.malformed(`null where ${what} must be`);
    return length;
  }

  #elements(count: number, bytesMin: number): number {
    const left = this.#end - this.at;
    if (count < 0) throw this.malformed(`an array of ${count} elements`);
    if (count * bytesMin > left)
      throw this.malformed(`${count} elements of ${bytesMin} bytes or more, ${left} bytes left`);
    this.#elementsLeft -= count;
    if (this.#elementsLeft < 0) throw this.malformed("too many array elements in one message");
    return count;
  }

  #slice(length: number): Uint8Array {
    if (length < 0) throw this.malformed(`a length of ${length}`);
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + this.#take(length), length);
  }

  #text(length: number): string {
    if (length < 0 || length > STRING_BYTES_MAX)
      throw this.malformed(`a string of ${length} bytes`);
    const from = this.#take(length);
    const to = from + length;
    if (length <= SHORT_TEXT_BYTES) {
      let text = "";
      for (let at = from; at < to; at += 1) {
        const byte = this.#bytes[at] as number;
        if (byte > 0x7f) return this.#decode(from, to);
        text += String.fromCharCode(byte);
      }
      return text;
    }
    return this.#decode(from, to);
  }

  #decode(from: number, to: number): string {
    try {
      return decoder.decode(this.#bytes.subarray(from, to));
    } catch {
      throw this.malformed("malformed UTF-8", from);
    }
  }
}
