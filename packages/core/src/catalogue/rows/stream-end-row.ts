import { formatNumber, parseNumber, unsigned } from "./key-parts.ts";
import { defineRow, type RowKind } from "./row.ts";

export interface StreamEndRow {
  /** Committed end: a range of an upload starts exactly here. Only grows. */
  readonly offset: number;
  /** Key of the object whose state block holds the stream's state as of `offset`; undefined: none was written yet. */
  readonly stateObject: string | undefined;
}

/**
 * How far a stream is in objects: raised by uploads of its owner.
 *
 * Key: `streams/end/<streamId>`, sixteen digits. Value: offset varint, stateObject text, empty where there is none.
 */
export const streamEndRow: RowKind<number, StreamEndRow> = defineRow({
  ordinal: 6,
  prefix: "streams/end/",
  formatId: formatNumber,
  parseId: parseNumber,
  write: (writer, value) => {
    writer.varint(unsigned(value.offset, "offset"));
    if (value.stateObject === "") throw new TypeError("stateObject is empty");
    writer.text(value.stateObject ?? "");
  },
  read: (reader) => {
    const offset = reader.varint();
    const stateObject = reader.text();
    return { offset, stateObject: stateObject === "" ? undefined : stateObject };
  },
});
