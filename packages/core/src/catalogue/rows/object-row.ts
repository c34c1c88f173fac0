import { formatId, formatNumber, ordinalOf, parseId, parseNumber, unsigned } from "./key-parts.ts";
import { type RangeTable, readRangeTable, writeRangeTable } from "./range-table.ts";
import { defineRow, type RowKind } from "./row.ts";

/** An object's identity: by whom it was written, and in which order. */
export interface ObjectId {
  readonly nodeId: string;
  readonly nodeEpoch: number;
  /** Minted in dispatch order, from 0 in each epoch. */
  readonly sequence: number;
}

export interface ObjectRow {
  /** `stream-set`: of many streams; `stream`: of one. */
  readonly kind: "stream-set" | "stream";
  /** Of the whole object. */
  readonly bytes: number;
  /** Where its index is, so that a reader needs no footer. */
  readonly indexPosition: number;
  readonly indexBytes: number;
  readonly ranges: RangeTable;
}

// Ordinals from 1, persisted: append only.
const KINDS = ["stream-set", "stream"] as const;

/**
 * An object and everything in it that is referenced: written by the upload or compaction that made it, rewritten when references
 * are dropped, deleted with the last one.
 *
 * Key: `objects/<nodeId>/<nodeEpoch>/<sequence>`: 32 hex digits, sixteen digits, sixteen digits. Value: kind u8, bytes varint,
 * indexPosition varint, indexBytes varint, range table.
 */
export const objectRow: RowKind<ObjectId, ObjectRow> = defineRow({
  ordinal: 8,
  prefix: "objects/",
  formatId: (id) =>
    `${formatId(id.nodeId)}/${formatNumber(id.nodeEpoch)}/${formatNumber(id.sequence)}`,
  parseId: (text) => {
    const [nodeId, nodeEpoch, sequence, ...more] = text.split("/");
    if (
      nodeId === undefined ||
      nodeEpoch === undefined ||
      sequence === undefined ||
      more.length > 0
    )
      return undefined;
    const id = {
      nodeId: parseId(nodeId),
      nodeEpoch: parseNumber(nodeEpoch),
      sequence: parseNumber(sequence),
    };
    return id.nodeId === undefined || id.nodeEpoch === undefined || id.sequence === undefined
      ? undefined
      : (id as ObjectId);
  },
  write: (writer, value) => {
    writer.u8(ordinalOf(KINDS, value.kind));
    writer.varint(unsigned(value.bytes, "bytes"));
    writer.varint(unsigned(value.indexPosition, "indexPosition"));
    writer.varint(unsigned(value.indexBytes, "indexBytes"));
    writeRangeTable(writer, value.ranges);
  },
  read: (reader) => ({
    kind: reader.oneOf(KINDS),
    bytes: reader.varint(),
    indexPosition: reader.varint(),
    indexBytes: reader.varint(),
    ranges: readRangeTable(reader),
  }),
});

/** Prefix of the keys of one node's objects, in all epochs or one. */
export function objectPrefix(nodeId: string, nodeEpoch?: number): string {
  const ofNode = `${objectRow.prefix}${formatId(nodeId)}/`;
  return nodeEpoch === undefined ? ofNode : `${ofNode}${formatNumber(nodeEpoch)}/`;
}
