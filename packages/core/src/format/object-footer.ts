import { crc32c, getInt64, setInt64, viewOf } from "@karst/runtime";
import { coreError } from "../errors.ts";
import { checkVersion } from "./object-header.ts";
import {
  FOOTER_BYTES,
  FOOTER_MAGIC,
  HEADER_BYTES,
  INDEX_ENTRY_BYTES,
  KNOWN_FLAGS,
  OBJECT_VERSION,
} from "./object-layout.ts";

const CRC_AT = 28;
const MAGIC_AT = 32;

/** Where an object's index is, and what it has to add up to. */
export interface ObjectFooter {
  readonly indexPosition: number;
  readonly indexBytes: number;
  readonly indexEntries: number;
  readonly indexCrc: number;
}

export function encodeFooter(footer: ObjectFooter): Uint8Array {
  const bytes = new Uint8Array(FOOTER_BYTES);
  const view = viewOf(bytes);
  setInt64(view, 0, footer.indexPosition);
  view.setUint32(8, footer.indexBytes);
  view.setUint32(12, footer.indexEntries);
  view.setUint32(16, footer.indexCrc);
  view.setUint32(20, KNOWN_FLAGS);
  view.setUint16(24, OBJECT_VERSION);
  view.setUint32(CRC_AT, crc32c(bytes.subarray(0, CRC_AT)));
  view.setUint32(MAGIC_AT, FOOTER_MAGIC);
  return bytes;
}

/**
 * The footer at the end of `tail`, the object's last bytes.
 *
 * @throws KarstError `OBJECT_CORRUPT`, `OBJECT_VERSION` (`corrupt`).
 */
export function decodeFooter(tail: Uint8Array, objectBytes: number): ObjectFooter {
  if (tail.length < FOOTER_BYTES)
    throw coreError("OBJECT_CORRUPT", `object tail of ${tail.length} bytes`);
  const bytes = tail.subarray(tail.length - FOOTER_BYTES);
  const view = viewOf(bytes);
  if (view.getUint32(MAGIC_AT) !== FOOTER_MAGIC)
    throw coreError("OBJECT_CORRUPT", "object footer: wrong magic");
  if (view.getUint32(CRC_AT) !== crc32c(bytes.subarray(0, CRC_AT))) {
    throw coreError("OBJECT_CORRUPT", "object footer: wrong CRC");
  }
  checkVersion(view.getUint16(24), view.getUint32(20));
  if (view.getUint16(26) !== 0)
    throw coreError("OBJECT_CORRUPT", "object footer: reserved bytes are set");
  const footer: ObjectFooter = {
    indexPosition: getInt64(view, 0),
    indexBytes: view.getUint32(8),
    indexEntries: view.getUint32(12),
    indexCrc: view.getUint32(16),
  };
  const consistent =
    footer.indexPosition >= HEADER_BYTES &&
    footer.indexBytes === footer.indexEntries * INDEX_ENTRY_BYTES &&
    footer.indexPosition + footer.indexBytes + FOOTER_BYTES === objectBytes;
  if (!consistent)
    throw coreError(
      "OBJECT_CORRUPT",
      `object footer does not fit an object of ${objectBytes} bytes`,
    );
  return footer;
}
