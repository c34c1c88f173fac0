import { unsigned } from "./key-parts.ts";
import { defineRow, type RowKind } from "./row.ts";

export interface CounterRow {
  /** Lowest number not given out. */
  readonly next: number;
}

/** Names of counters; persisted, never reused. */
export type CounterName = "streams" | "topics" | "producer-ids";

const NAMES: readonly CounterName[] = ["streams", "topics", "producer-ids"];

/**
 * A source of numbers that are never given out twice. Whoever takes some requires the row and raises it in the same
 * transaction. Requiring `topics` also makes the creations of topics happen one after the other, which keeps names unique.
 *
 * Key: `counters/<name>`. Value: next varint.
 */
export const counterRow: RowKind<CounterName, CounterRow> = defineRow({
  ordinal: 3,
  prefix: "counters/",
  formatId: (name) => {
    if (!NAMES.includes(name)) throw new TypeError(`${name} is no counter`);
    return name;
  },
  parseId: (text) => NAMES.find((name) => name === text),
  write: (writer, value) => writer.varint(unsigned(value.next, "next")),
  read: (reader) => ({ next: reader.varint() }),
});
