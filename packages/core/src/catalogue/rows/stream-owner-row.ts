import { formatId, formatNumber, parseNumber, unsigned } from "./key-parts.ts";
import { defineRow, type RowKind } from "./row.ts";

export interface StreamOwnerRow {
  /** undefined: nobody's. */
  readonly nodeId: string | undefined;
  /** Grows when the owner changes, and only then. */
  readonly streamEpoch: number;
}

/**
 * Whose a stream is: changed by takeovers and moves. A stream exists as long as it has this row.
 *
 * Key: `streams/owner/<streamId>`, sixteen digits. Value: streamEpoch varint, owned u8 (0, 1), [nodeId id].
 */
export const streamOwnerRow: RowKind<number, StreamOwnerRow> = defineRow({
  ordinal: 7,
  prefix: "streams/owner/",
  formatId: formatNumber,
  parseId: parseNumber,
  write: (writer, value) => {
    writer.varint(unsigned(value.streamEpoch, "streamEpoch"));
    writer.u8(value.nodeId === undefined ? 0 : 1);
    if (value.nodeId !== undefined) writer.id(formatId(value.nodeId));
  },
  read: (reader) => {
    const streamEpoch = reader.varint();
    const owned = reader.u8();
    if (owned > 1) throw reader.corrupt("neither owned nor unowned");
    return { streamEpoch, nodeId: owned === 1 ? reader.id() : undefined };
  },
});
