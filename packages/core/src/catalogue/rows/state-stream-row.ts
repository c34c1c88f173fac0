import { KEY_NUMBER_MAX, unsigned } from "./key-parts.ts";
import { defineRow, type RowKind } from "./row.ts";

/** What a state stream holds; persisted as its row's name, never reused. */
export type StateStreamKind = "groups" | "transactions";

export interface StateStreamRow {
  readonly streamId: number;
}

const KINDS: readonly StateStreamKind[] = ["groups", "transactions"];

/**
 * The stream that holds a coordinator's state: written once, in the commit that mints the stream.
 *
 * Key: `state-streams/<kind>`. Value: stream id varint.
 */
export const stateStreamRow: RowKind<StateStreamKind, StateStreamRow> = defineRow({
  ordinal: 9,
  prefix: "state-streams/",
  formatId: (kind) => {
    if (!KINDS.includes(kind)) throw new TypeError(`${kind} is no kind of state`);
    return kind;
  },
  parseId: (text) => KINDS.find((kind) => kind === text),
  write: (writer, value) => writer.varint(unsigned(value.streamId, "stream id", KEY_NUMBER_MAX)),
  read: (reader) => {
    const streamId = reader.varint();
    if (streamId > KEY_NUMBER_MAX) throw reader.corrupt("not a stream id");
    return { streamId };
  },
});
