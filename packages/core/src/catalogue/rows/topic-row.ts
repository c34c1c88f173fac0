import { formatId, KEY_NUMBER_MAX, parseId, unsigned } from "./key-parts.ts";
import { defineRow, type RowKind } from "./row.ts";

export interface TopicRow {
  readonly name: string;
  /** Stream id of each partition, by partition number. */
  readonly partitions: readonly number[];
  /** Settings that differ from the defaults, sorted by name when written. */
  readonly configs: ReadonlyMap<string, string>;
  /** Wall clock of the creator, milliseconds since 1970. */
  readonly createdMs: number;
}

/**
 * A topic: changed by admin calls, deleted with its streams' rows.
 *
 * Key: `topics/<topicId>`, 32 hex digits; never the name. Value: name text, createdMs varint, count varint of partitions, a
 * stream id varint each; count varint of configs, name text and value text each, by ascending name.
 */
export const topicRow: RowKind<string, TopicRow> = defineRow({
  ordinal: 4,
  prefix: "topics/",
  formatId,
  parseId,
  write: (writer, value) => {
    writer.text(value.name);
    writer.varint(unsigned(value.createdMs, "createdMs"));
    writer.varint(value.partitions.length);
    for (const streamId of value.partitions)
      writer.varint(unsigned(streamId, "stream id", KEY_NUMBER_MAX));
    writer.varint(value.configs.size);
    for (const [name, text] of [...value.configs].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      writer.text(name);
      writer.text(text);
    }
  },
  read: (reader) => {
    const name = reader.text();
    const createdMs = reader.varint();
    const partitions = Array.from({ length: reader.count(1) }, () => reader.varint());
    if (partitions.some((streamId) => streamId > KEY_NUMBER_MAX))
      throw reader.corrupt("not a stream id");
    const configs = new Map<string, string>();
    let previous: string | undefined;
    for (let left = reader.count(2); left > 0; left -= 1) {
      const config = reader.text();
      if (previous !== undefined && config <= previous)
        throw reader.corrupt("configs out of order");
      configs.set(config, reader.text());
      previous = config;
    }
    return { name, partitions, configs, createdMs };
  },
});
