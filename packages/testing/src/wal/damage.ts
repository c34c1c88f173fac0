import type { SimulatedDisk } from "@karst/runtime/testing";
import { WAL_DIRECTORY } from "./open-wal.ts";
import type { QuickRandom } from "./quick-random.ts";

export interface Damage {
  /** `flip`, `cut`: one place, which leaves the rest to tell of it. `garbage`, `duplicate`: may also take the last group's watermark with it. */
  readonly kind: "flip" | "cut" | "garbage" | "duplicate";
  readonly text: string;
}

/** Harms one file of a WAL, on the medium; undefined: there is none to harm. */
export function damage(disk: SimulatedDisk, random: QuickRandom): Damage | undefined {
  const paths = disk
    .listAll()
    .filter((path) => path.startsWith(`${WAL_DIRECTORY}/`) && !path.endsWith("/"))
    .filter((path) => disk.sizeOf(path) > 0);
  if (paths.length === 0) return undefined;
  const path = random.pick(paths);
  const bytes = disk.sizeOf(path);
  const name = path.slice(WAL_DIRECTORY.length + 1);
  switch (random.integer(0, 9)) {
    case 0: {
      const size = random.integer(0, bytes - 1);
      disk.truncate(path, size);
      return { kind: "cut", text: `${name}, cut to ${size} of ${bytes} bytes` };
    }
    case 1: {
      const at = random.integer(0, bytes - 1);
      disk.overwrite(path, at, random.bytes(random.integer(1, Math.min(bytes - at, 64))));
      return { kind: "garbage", text: `${name}, garbage at ${at}` };
    }
    case 2: {
      // Whole sectors of one file in the place of others: as valid as bytes can be.
      const from = random.pick(paths);
      const sectors = Math.floor(disk.sizeOf(from) / 512);
      if (sectors === 0 || bytes < 512) return undefined;
      const at = random.integer(0, Math.floor(bytes / 512) - 1) * 512;
      const source = random.integer(0, sectors - 1) * 512;
      disk.overwrite(path, at, disk.bytesOf(from).subarray(source, source + 512));
      return { kind: "duplicate", text: `${name}, a sector of another place at ${at}` };
    }
    default: {
      const at = random.integer(0, bytes - 1);
      const bit = random.integer(0, 7);
      disk.flip(path, at, bit);
      return { kind: "flip", text: `${name}, bit ${bit} of byte ${at} flipped` };
    }
  }
}
