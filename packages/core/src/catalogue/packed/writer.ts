import { assert, utf8Encode } from "@karst/runtime";

const INITIAL_BYTES = 256;

/**
 * Writes the primitives that every row, entry and snapshot is made of.
 *
 * varint: an integer 0..2⁵³−1, seven bits a byte, least significant first, the top bit set on all but the last byte.
 * text: varint byte length, then UTF-8. id: 128 bits as 16 bytes. All else is big-endian.
 */
export class PackedWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity: number = INITIAL_BYTES) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  u16(value: number): void {
    this.u8(value >>> 8);
    this.u8(value & 0xff);
  }

  u32(value: number): void {
    this.u16(value >>> 16);
    this.u16(value & 0xffff);
  }

  varint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, `${value} is not a safe unsigned integer`);
    this.#reserve(8);
    let rest = value;
    while (rest > 0x7fff_ffff) {
      this.#bytes[this.#length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  /** The bytes alone, without their length. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** varint length, then the bytes. */
  blob(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  text(value: string): void {
    this.blob(utf8Encode(value));
  }

  /** Characters of U+0000..U+007F alone, one byte each, without their length. */
  ascii(value: string): void {
    this.#reserve(value.length);
    for (let i = 0; i < value.length; i += 1) this.#bytes[this.#length++] = value.charCodeAt(i);
  }

  /** 32 lower-case hex digits as 16 bytes. */
  id(hex: string): void {
    assert(hex.length === 32, `${hex} is not a 128-bit id`);
    for (let i = 0; i < 32; i += 2) this.u8(Number.parseInt(hex.slice(i, i + 2), 16));
  }

  /** The bytes written, as a view that later writes may change. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A copy of the bytes written, of exactly their length. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
