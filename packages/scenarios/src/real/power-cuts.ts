import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { Seeded } from "../seeded.ts";
import { crashLoop, type CrashCounts } from "./crash-loop.ts";
import { type RealCounts, sumOf } from "./kill-loop.ts";
import { LoopDisk } from "./loop-disk.ts";
import type { Level } from "./protocol.ts";

const CUTS_PER_DISK = 20;
const SEED_MAX = 2 ** 31;

const ACK_BEFORE_SYNC = `
  import fs from "node:fs";
  const sync = fs.fdatasyncSync;
  const synced = new Set();
  fs.fdatasyncSync = (fd) => {
    const path = fs.readlinkSync("/proc/self/fd/" + fd);
    if (synced.has(path) && /\\/segment-\\d+-\\d+$/.test(path)) return;
    synced.add(path);
    sync(fd);
  };`;

/** Arguments of Node: of a segment in use, a WAL in the main thread syncs only the first group. */
export const ACKS_BEFORE_SYNC: readonly string[] = [
  "--import",
  `data:text/javascript,${encodeURIComponent(ACK_BEFORE_SYNC)}`,
];

export interface PowerCutOptions {
  readonly seed: number;
  readonly cuts: number;
  /** Arguments of Node: a deliberate bug, with the WAL in the main thread. */
  readonly nodeArgs?: readonly string[];
}

/** Cuts the power at seeded moments; what is left of a disk is where the next life goes on. */
export async function powerCuts({ seed, cuts, nodeArgs }: PowerCutOptions): Promise<RealCounts> {
  const from = performance.now();
  const random = new Seeded(seed);
  const all: CrashCounts[] = [];
  for (let done = 0, disks = 0; done < cuts; disks += 1) {
    const crashes = Math.min(CUTS_PER_DISK, cuts - done);
    const disk = LoopDisk.create();
    try {
      const level: Level = (seed + disks) % 2 === 0 ? "topic" : "partition";
      const place = {
        directory: join(disk.directory, "data"),
        crash: (life: Parameters<LoopDisk["cutPower"]>[0]) => disk.cutPower(life),
      };
      const device = nodeArgs === undefined && level === "topic" ? "worker" : "inline";
      const options = { seed: random.integer(0, SEED_MAX), crashes, place, level, device } as const;
      all.push(await crashLoop({ ...options, nodeArgs: nodeArgs ?? [] }));
    } finally {
      disk.destroy();
    }
    done += crashes;
  }
  return { ...sumOf(all), seconds: (performance.now() - from) / 1000 };
}
