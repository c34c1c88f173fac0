import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { Seeded } from "../seeded.ts";
import { crashLoop, type CrashCounts, type CrashLoopOptions } from "./crash-loop.ts";
import type { Level } from "./protocol.ts";

/** A directory grows slowly, and opening it with it. */
const KILLS_PER_DIRECTORY = 50;
/** Directories at the same time: while one process loads, or waits for the disk, others work. */
const LANES = 3;
const SEED_MAX = 2 ** 31;

export interface KillLoopOptions {
  readonly seed: number;
  /** Ends after so many kills, */
  readonly kills?: number;
  /** or after so many seconds. */
  readonly seconds?: number;
  /** Arguments of Node for every process, and the only level: a deliberate bug. */
  readonly mutant?: { readonly nodeArgs: readonly string[]; readonly level: Level };
}

export interface RealCounts extends CrashCounts {
  readonly seconds: number;
}

/**
 * Ends processes by SIGKILL at seeded moments, in one directory after the other, half of them at the level of partition logs and
 * with the WAL in the main thread.
 */
export async function killLoop(options: KillLoopOptions): Promise<RealCounts> {
  const { seed, kills = Infinity, seconds = Infinity, mutant } = options;
  const from = performance.now();
  const elapsed = (): number => (performance.now() - from) / 1000;
  const random = new Seeded(seed);
  const all: CrashCounts[] = [];
  let planned = 0;
  let levels = 0;
  let failed = false;
  const goOn = (): boolean => elapsed() < seconds && !failed;
  const lane = async (): Promise<void> => {
    while (planned < kills && goOn()) {
      const crashes = Math.min(KILLS_PER_DIRECTORY, kills - planned);
      planned += crashes;
      const level: Level = mutant?.level ?? (levels++ % 2 === 0 ? "topic" : "partition");
      try {
        const drawn = random.integer(0, SEED_MAX);
        all.push(await killsIn(options, { seed: drawn, crashes, level, goOn }));
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: LANES }, lane));
  for (const each of lanes) if (each.status === "rejected") throw each.reason;
  return { ...sumOf(all), seconds: elapsed() };
}

/** The directory stays where a check has failed. */
async function killsIn(
  { mutant }: KillLoopOptions,
  directoryOptions: Pick<CrashLoopOptions, "seed" | "crashes" | "level" | "goOn">,
): Promise<CrashCounts> {
  const directory = await mkdtemp(join(tmpdir(), "karst-kills-"));
  const place = {
    directory: join(directory, "data"),
    crash: async (life: { kill(): Promise<unknown> }) => void (await life.kill()),
  };
  const device = directoryOptions.level === "topic" ? "worker" : "inline";
  const nodeArgs = mutant?.nodeArgs ?? [];
  let failed = true;
  try {
    const counts = await crashLoop({ ...directoryOptions, place, device, nodeArgs });
    failed = false;
    return counts;
  } finally {
    // A deliberate bug leaves nothing to look at.
    if (!failed || mutant !== undefined) await rm(directory, { recursive: true, force: true });
  }
}

export function sumOf(all: readonly CrashCounts[]): CrashCounts {
  const sum = (of: (counts: CrashCounts) => number): number =>
    all.reduce((total, counts) => total + of(counts), 0);
  return {
    crashes: sum((counts) => counts.crashes),
    inFlight: sum((counts) => counts.inFlight),
    checkedOperations: sum((counts) => counts.checkedOperations),
    crossed: {
      segmentRolls: sum(({ crossed }) => crossed.segmentRolls),
      uploads: sum(({ crossed }) => crossed.uploads),
      walTrims: sum(({ crossed }) => crossed.walTrims),
      trims: sum(({ crossed }) => crossed.trims),
    },
  };
}
