import { crc32c, utf8Encode } from "@karst/runtime";
import type { SimulatedDisk } from "@karst/runtime/testing";

/** 53 bits of a disk's names and bytes: two states with the same one are taken for the same state. */
export type DiskHash = number;

export function hashOf(disk: SimulatedDisk): DiskHash {
  let low = 0;
  let high = 0x811c9dc5;
  for (const [path, bytes] of disk.snapshot()) {
    const name = crc32c(utf8Encode(`${low} ${path} ${bytes.length}`));
    low = crc32c(bytes) ^ Math.imul(name, 0x9e3779b1);
    high = mixed(high ^ name, bytes);
  }
  return (high & 0x1fffff) * 0x1_0000_0000 + (low >>> 0);
}

/** Of another family than a CRC, of which a second one would follow from the first. */
function mixed(start: number, bytes: Uint8Array): number {
  let state = start;
  for (let i = 0; i < bytes.length; i += 1) {
    // Most of a prewritten segment is zeros, which only move the state on.
    state = Math.imul(state ^ (bytes[i] as number), 0x01000193);
    state = (state << 13) | (state >>> 19);
  }
  return state >>> 0;
}
