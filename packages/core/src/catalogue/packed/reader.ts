import { coreError } from "../../errors.ts";

const VARINT_BYTES_MAX = 8;
const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, "0"),
);
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Whether a text is 128 bits in lower-case hex. */
export function isId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}

/**
 * Reads what `PackedWriter` wrote. Only the one shortest encoding of each value is accepted, so that decoding and encoding again
 * gives the same bytes.
 *
 * Every method throws `CATALOGUE_CORRUPT` (`corrupt`), naming `what`, where the bytes are not of its kind.
 */
export class PackedReader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  readonly #end: number;
  #position: number;

  /** Reads `bytes` from `start` to `end`; `what` names them in errors. */
  constructor(bytes: Uint8Array, what: string, start: number = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#what = what;
    this.#position = start;
    this.#end = end;
  }

  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.#end - this.#position;
  }

  corrupt(problem: string, cause?: unknown): Error {
    return coreError(
      "CATALOGUE_CORRUPT",
      `${this.#what}: ${problem} at byte ${this.#position}`,
      cause,
    );
  }

  u8(): number {
    this.#require(1);
    return this.#bytes[this.#position++] as number;
  }

  u16(): number {
    return this.u8() * 0x100 + this.u8();
  }

  u32(): number {
    return this.u16() * 0x1_0000 + this.u16();
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < VARINT_BYTES_MAX; count += 1) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0 && count > 0) throw this.corrupt("an overlong varint");
        if (!Number.isSafeInteger(value)) throw this.corrupt("a varint above the safe integers");
        return value;
      }
      scale *= 128;
    }
    throw this.corrupt("a varint without end");
  }

  /** A varint that counts things of at least `bytesMin` bytes each, which must still be there: bounds allocation. */
  count(bytesMin: number): number {
    const count = this.varint();
    if (count * bytesMin > this.remaining)
      throw this.corrupt(`${count} elements in ${this.remaining} bytes`);
    return count;
  }

  /** A view of the next `length` bytes. */
  raw(length: number): Uint8Array {
    this.#require(length);
    const view = this.#bytes.subarray(this.#position, this.#position + length);
    this.#position += length;
    return view;
  }

  /** A view of the next bytes, as many as the varint before them says. */
  blob(): Uint8Array {
    return this.raw(this.varint());
  }

  text(): string {
    const bytes = this.blob();
    try {
      return utf8.decode(bytes);
    } catch (cause) {
      throw this.corrupt("malformed UTF-8", cause);
    }
  }

  id(): string {
    this.#require(16);
    let hex = "";
    for (let i = 0; i < 16; i += 1) hex += HEX[this.#bytes[this.#position + i] as number] as string;
    this.#position += 16;
    return hex;
  }

  /** The element that an ordinal from 1 names. */
  oneOf<Name extends string>(names: readonly Name[]): Name {
    const name = names[this.u8() - 1];
    if (name === undefined) throw this.corrupt("an unknown ordinal");
    return name;
  }

  /** Asserts that nothing is left. */
  finish(): void {
    if (this.remaining !== 0) throw this.corrupt(`${this.remaining} bytes too many`);
  }

  #require(count: number): void {
    if (count > this.remaining)
      throw this.corrupt(`cut short: ${count} bytes wanted, ${this.remaining} left`);
  }
}
