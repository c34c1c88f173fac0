import { formatNumber, parseNumber, unsigned } from "./key-parts.ts";
import { defineRow, type RowKind } from "./row.ts";

export interface StreamStartRow {
  /** `logStartOffset`; only grows. */
  readonly offset: number;
}

/**
 * Where a stream begins: raised by trims. Its own key, so that a trim and an upload never conflict.
 *
 * Key: `streams/start/<streamId>`, sixteen digits. Value: offset varint.
 */
export const streamStartRow: RowKind<number, StreamStartRow> = defineRow({
  ordinal: 5,
  prefix: "streams/start/",
  formatId: formatNumber,
  parseId: parseNumber,
  write: (writer, value) => writer.varint(unsigned(value.offset, "offset")),
  read: (reader) => ({ offset: reader.varint() }),
});
