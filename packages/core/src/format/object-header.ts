import { crc32c, viewOf } from "@karst/runtime";
import { coreError } from "../errors.ts";
import { HEADER_BYTES, HEADER_MAGIC, KNOWN_FLAGS, OBJECT_VERSION } from "./object-layout.ts";

/** The first bytes of every object of this version. */
export function encodeHeader(): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, HEADER_MAGIC);
  view.setUint16(4, OBJECT_VERSION);
  view.setUint32(8, KNOWN_FLAGS);
  view.setUint32(12, crc32c(bytes.subarray(0, 12)));
  return bytes;
}

/** @throws KarstError `OBJECT_CORRUPT`, `OBJECT_VERSION` (`corrupt`). */
export function checkHeader(bytes: Uint8Array): void {
  if (bytes.length < HEADER_BYTES)
    throw coreError("OBJECT_CORRUPT", `object header of ${bytes.length} bytes`);
  const view = viewOf(bytes);
  if (view.getUint32(0) !== HEADER_MAGIC)
    throw coreError("OBJECT_CORRUPT", "not an object: wrong magic");
  if (view.getUint32(12) !== crc32c(bytes.subarray(0, 12)))
    throw coreError("OBJECT_CORRUPT", "object header: wrong CRC");
  checkVersion(view.getUint16(4), view.getUint32(8));
  if (view.getUint16(6) !== 0)
    throw coreError("OBJECT_CORRUPT", "object header: reserved bytes are set");
}

/** @throws KarstError `OBJECT_VERSION` (`corrupt`): written by a later release. */
export function checkVersion(version: number, flags: number): void {
  if (version !== OBJECT_VERSION)
    throw coreError(
      "OBJECT_VERSION",
      `object version ${version}, this release reads ${OBJECT_VERSION}`,
    );
  if ((flags & ~KNOWN_FLAGS) !== 0)
    throw coreError(
      "OBJECT_VERSION",
      `object needs unknown features: flags 0x${flags.toString(16)}`,
    );
}
