import { formatId, unsigned } from "./key-parts.ts";
import { defineRow, type RowKind } from "./row.ts";

export interface RootRow {
  /** 32 hex digits, minted when the root was created. */
  readonly rootId: string;
  /** Of everything under the root; a newer one than `ROOT_FORMAT_VERSION` refuses to open. */
  readonly formatVersion: number;
  /** Features that a reader must know, one bit each; an unknown one refuses to open. */
  readonly features: number;
  /** Wall clock of the creator, milliseconds since 1970. For people. */
  readonly createdMs: number;
}

export const ROOT_FORMAT_VERSION = 1;

/** Bits of `features` that this code knows. */
export const ROOT_FEATURES = 0;

/**
 * The root itself: written once, by the log's first entry; changed only to raise version or features.
 *
 * Key: `root`. Value: rootId id, formatVersion varint, features u32, createdMs varint.
 */
export const rootRow: RowKind<"root", RootRow> = defineRow({
  ordinal: 1,
  prefix: "root",
  formatId: () => "",
  parseId: (text) => (text === "" ? "root" : undefined),
  write: (writer, value) => {
    writer.id(formatId(value.rootId));
    writer.varint(unsigned(value.formatVersion, "formatVersion"));
    writer.u32(unsigned(value.features, "features", 0xffff_ffff));
    writer.varint(unsigned(value.createdMs, "createdMs"));
  },
  read: (reader) => ({
    rootId: reader.id(),
    formatVersion: reader.varint(),
    features: reader.u32(),
    createdMs: reader.varint(),
  }),
});
