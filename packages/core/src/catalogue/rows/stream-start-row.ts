import { formatNumber, parseNumber, unsigned } from "./key-parts.ts";
import { defineRow, type RowKind } from "./row.ts";

export interface StreamStartRow {
  /** `logStartOffset`; only grows. */
  readonly offset: number;
  /**
   * Below it nobody needs a batch any more, as the trim knew; ≤ offset. A stream whose state has not been written yet needs what is
   * trimmed, to make the state of it.
   */
  readonly deadBefore: number;
}

/**
 * Where a stream begins: raised by trims. Its own key, so that a trim and an upload never conflict.
 *
 * Key: `streams/start/<streamId>`, sixteen digits. Value: offset varint, offset − deadBefore varint.
 */
export const streamStartRow: RowKind<number, StreamStartRow> = defineRow({
  ordinal: 5,
  prefix: "streams/start/",
  formatId: formatNumber,
  parseId: parseNumber,
  write: (writer, { offset, deadBefore }) => {
    writer.varint(unsigned(offset, "offset"));
    writer.varint(unsigned(offset - deadBefore, "offset - deadBefore"));
  },
  read: (reader) => {
    const offset = reader.varint();
    return { offset, deadBefore: offset - reader.varint() };
  },
});
