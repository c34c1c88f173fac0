// Sizes and constants of the object format.
//
//   object := header block* index footer
//
// @see docs/formats/object.md

/** "KOBJ", the first four bytes. */
export const HEADER_MAGIC = 0x4b4f424a as const;
/** "JBOK", the last four bytes. */
export const FOOTER_MAGIC = 0x4a424f4b as const;
export const OBJECT_VERSION = 1 as const;
/** Feature flags that a reader of this version understands; any other bit refuses to open. */
export const KNOWN_FLAGS = 0 as const;

/** magic 4, version 2, zero 2, flags 4, CRC-32C of the twelve bytes before 4. */
export const HEADER_BYTES = 16 as const;
/** index position 8, index bytes 4, index entries 4, index CRC 4, flags 4, version 2, zero 2, CRC 4, magic 4. */
export const FOOTER_BYTES = 36 as const;
/** stream 8, start 8, end 8, position 8, max timestamp 8, records 8, bytes 4, CRC 4, kind 1, codec 1, zero 2. */
export const INDEX_ENTRY_BYTES = 60 as const;
/** base offset 8, count 4, payload bytes 4, max timestamp 8; the payload follows. */
export const BATCH_HEADER_BYTES = 24 as const;

/** A block's bytes are as they are. The only codec so far. */
export const CODEC_NONE = 0 as const;

export const KIND_DATA = 0 as const;
export const KIND_STATE = 1 as const;

/** Largest count of one batch, and bytes of one block. */
export const UINT32_MAX = 0xffff_ffff as const;
