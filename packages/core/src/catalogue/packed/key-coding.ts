import { ROW_KEY_LENGTH_MAX } from "../limits.ts";
import type { PackedReader } from "./reader.ts";
import type { PackedWriter } from "./writer.ts";

const ROW_KEY = /^[A-Za-z0-9._/-]+$/;

/** Whether a text can be the key of a row: 1..`ROW_KEY_LENGTH_MAX` of `[A-Za-z0-9._/-]`. */
export function isRowKey(text: string): boolean {
  return text.length <= ROW_KEY_LENGTH_MAX && ROW_KEY.test(text);
}

/** Writes keys one after the other, each without what it shares with the one before: shared varint, length varint, rest. */
export class KeyWriter {
  readonly #writer: PackedWriter;
  #previous = "";

  constructor(writer: PackedWriter) {
    this.#writer = writer;
  }

  write(key: string): void {
    const shared = sharedLength(this.#previous, key);
    this.#writer.varint(shared);
    this.#writer.varint(key.length - shared);
    this.#writer.ascii(key.slice(shared));
    this.#previous = key;
  }
}

/** Reads them back. */
export class KeyReader {
  readonly #reader: PackedReader;
  readonly #scratch: Uint8Array = new Uint8Array(ROW_KEY_LENGTH_MAX);
  #length = 0;
  #previous = "";

  constructor(reader: PackedReader) {
    this.#reader = reader;
  }

  read(): string {
    const reader = this.#reader;
    const shared = reader.varint();
    const rest = reader.varint();
    if (shared > this.#length || shared + rest > ROW_KEY_LENGTH_MAX)
      throw reader.corrupt("a key of impossible length");
    this.#scratch.set(reader.raw(rest), shared);
    this.#length = shared + rest;
    // Built from bytes each time: a slice of the key before would keep that one alive.
    const key = String.fromCharCode.apply(
      null,
      this.#scratch.subarray(0, this.#length) as unknown as number[],
    );
    if (!ROW_KEY.test(key)) throw reader.corrupt("a key that is none");
    if (sharedLength(this.#previous, key) !== shared)
      throw reader.corrupt("a key with less shared than it could");
    this.#previous = key;
    return key;
  }
}

function sharedLength(a: string, b: string): number {
  const limit = Math.min(a.length, b.length);
  let length = 0;
  while (length < limit && a.charCodeAt(length) === b.charCodeAt(length)) length += 1;
  return length;
}
