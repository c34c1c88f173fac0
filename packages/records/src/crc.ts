import { crc32c } from "@karst/runtime";
import { AT_CRC, CRC_START, readBatchBytes } from "./batch-header.ts";

/** The CRC that the batch at `at` should have. Its bytes are all there. */
export function batchCrc(view: DataView, at = 0): number {
  return crc32c(
    new Uint8Array(
      view.buffer,
      view.byteOffset + at + CRC_START,
      readBatchBytes(view, at) - CRC_START,
    ),
  );
}

/** Writes the CRC that belongs to the bytes as they are. */
export function stampCrc(view: DataView, at = 0): void {
  view.setUint32(at + AT_CRC, batchCrc(view, at));
}
