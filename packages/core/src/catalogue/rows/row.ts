import { coreError } from "../../errors.ts";
import type { Catalogue, Revision } from "../catalogue.ts";
import { PackedReader } from "../packed/reader.ts";
import { PackedWriter } from "../packed/writer.ts";

/** A decoded row. `revision` is what a later transaction requires. */
export interface Row<Id, Value> {
  readonly id: Id;
  readonly key: string;
  readonly value: Value;
  readonly revision: Revision;
}

/** What reading rows needs of a catalogue. */
export type RowSource = Pick<Catalogue, "get" | "scan">;

/**
 * One kind of row: how its keys and its values are written.
 *
 * Every value begins with the kind's ordinal and a version; a version that this code does not know is `CATALOGUE_VERSION`
 * (`corrupt`). A kind grows by a new version, whose first writer raises a required feature of the root row before.
 */
export interface RowKind<Id, Value> {
  /** Persisted as the first byte of every value; never reused. */
  readonly ordinal: number;
  /** What every key of the kind begins with, and no key of another; persisted; never reused. */
  readonly prefix: string;
  /** @throws TypeError on an id that is none. */
  key(id: Id): string;
  /** The id in a key of this kind, or undefined. */
  parseKey(key: string): Id | undefined;
  /** @throws TypeError on a value outside its bounds. */
  encode(value: Value): Uint8Array;
  /** @throws KarstError `CATALOGUE_CORRUPT` (`corrupt`), `CATALOGUE_VERSION` (`corrupt`) on bytes that `encode` never writes. */
  decode(bytes: Uint8Array): Value;
  /** The row as this image has it. */
  get(source: RowSource, id: Id): Row<Id, Value> | undefined;
  /**
   * All rows of the kind in key order, of the image at the time of the call; decoded as they are taken.
   *
   * @param prefix Default: the kind's. A longer one narrows.
   */
  scan(source: RowSource, prefix?: string): Iterable<Row<Id, Value>>;
  /** `require` element that this row is still as it was read, or still absent. */
  unchanged(
    id: Id,
    row: Row<Id, Value> | undefined,
  ): { readonly key: string; readonly revision: Revision | "absent" };
  /** `put` element. */
  put(id: Id, value: Value): { readonly key: string; readonly value: Uint8Array };
}

export interface RowDefinition<Id, Value> {
  readonly ordinal: number;
  readonly prefix: string;
  /** What follows the prefix in a key. */
  readonly formatId: (id: Id) => string;
  readonly parseId: (text: string) => Id | undefined;
  readonly write: (writer: PackedWriter, value: Value) => void;
  readonly read: (reader: PackedReader) => Value;
}

const VERSION = 1;

/** Makes a row kind from the two halves of its codec. */
export function defineRow<Id, Value>(definition: RowDefinition<Id, Value>): RowKind<Id, Value> {
  const { ordinal, prefix, formatId, parseId } = definition;
  const key = (id: Id): string => prefix + formatId(id);
  const parseKey = (text: string): Id | undefined =>
    text.startsWith(prefix) ? parseId(text.slice(prefix.length)) : undefined;

  const encode = (value: Value): Uint8Array => {
    const writer = new PackedWriter();
    writer.u8(ordinal);
    writer.u8(VERSION);
    definition.write(writer, value);
    return writer.finish();
  };
  const decodeAt = (what: string, bytes: Uint8Array): Value => {
    const reader = new PackedReader(bytes, what);
    if (reader.u8() !== ordinal) throw reader.corrupt(`not a row of kind ${ordinal}`);
    const version = reader.u8();
    if (version === 0) throw reader.corrupt("version 0");
    if (version > VERSION)
      throw coreError("CATALOGUE_VERSION", `${what}: version ${version} is newer than ${VERSION}`);
    const value = definition.read(reader);
    reader.finish();
    return value;
  };
  const get = (source: RowSource, id: Id): Row<Id, Value> | undefined => {
    const row = source.get(key(id));
    return row && { id, key: row.key, value: decodeAt(row.key, row.value), revision: row.revision };
  };
  const scan = (source: RowSource, narrower: string = prefix): Iterable<Row<Id, Value>> => {
    if (!narrower.startsWith(prefix)) throw new TypeError(`${narrower} does not narrow ${prefix}`);
    const rows = source.scan(narrower);
    return (function* () {
      for (const row of rows) {
        const id = parseKey(row.key);
        if (id === undefined)
          throw coreError("CATALOGUE_CORRUPT", `${row.key}: not a key of its kind`);
        yield { id, key: row.key, value: decodeAt(row.key, row.value), revision: row.revision };
      }
    })();
  };
  return {
    ordinal,
    prefix,
    key,
    parseKey,
    encode,
    decode: (bytes) => decodeAt(`a value under ${prefix}`, bytes),
    get,
    scan,
    unchanged: (id, row) => ({ key: key(id), revision: row?.revision ?? "absent" }),
    put: (id, value) => ({ key: key(id), value: encode(value) }),
  };
}
