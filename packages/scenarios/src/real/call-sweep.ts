import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { Seeded } from "../seeded.ts";
import { type CallCase, CallCrashes, type CallKind, type CallOutcome } from "./call-crashes.ts";
import { LoopDisk } from "./loop-disk.ts";
import type { Level } from "./protocol.ts";

const CALL_KEYS = ["thread", "call", "fault"] as const;

/** Every kind of call by which the engine changes a disk, in the thread that makes it. */
export const CALL_KINDS: readonly CallKind[] = (["main", "pool"] as const).flatMap((thread) => [
  ...(["fdatasync", "fsync", "pwrite64", "rename", "link", "unlink"] as const).map(
    (call): CallKind => ({ thread, call, fault: "signal=KILL" }),
  ),
  ...(["fdatasync", "fsync", "pwrite64", "rename", "link"] as const).map((call): CallKind => ({
    thread,
    call,
    fault: "error=EIO",
  })),
  { thread, call: "pwrite64", fault: "error=ENOSPC" },
]);

export interface SweepOptions {
  readonly level: Level;
  readonly kinds: readonly CallKind[];
  /** Of all cases every so many are tried, */
  readonly stride: number;
  /** beginning where the seed says. */
  readonly seed: number;
  /** Whether the power is cut after each fault. */
  readonly powerCuts: boolean;
}

export interface KindCounts extends CallKind {
  readonly level: Level;
  killed: number;
  /** Lives that ended because the engine had failed, */
  failed: number;
  /** and that went on to their own end. */
  finished: number;
  /** that hung, and were ended: nothing was lost, but somebody had to notice. */
  stuck: number;
}

export interface SweepCounts {
  readonly cases: number;
  readonly checkedOperations: number;
  readonly seconds: number;
  readonly kinds: readonly KindCounts[];
}

/** Goes through the calls of a short life, each with a fault; every outcome is checked by the next life. */
export async function callSweep(options: SweepOptions): Promise<SweepCounts> {
  const { level, stride, seed } = options;
  const from = performance.now();
  const random = new Seeded(seed);
  const disk = options.powerCuts ? LoopDisk.create() : undefined;
  const directory = disk?.directory ?? mkdtempSync(join(tmpdir(), "karst-calls-"));
  const kinds: KindCounts[] = [];
  try {
    const crashes = await CallCrashes.prepare({ directory, level, disk });
    const cases = await casesOf(crashes, options.kinds);
    for (let i = random.integer(0, stride - 1); i < cases.length; i += stride) {
      const { nth, ...kind } = cases[i] as CallCase;
      const outcome = await tell({ ...kind, nth }, crashes);
      if (outcome.tag === "beyond") continue;
      let counts = kinds.find((each) => CALL_KEYS.every((key) => each[key] === kind[key]));
      if (counts === undefined)
        kinds.push((counts = { ...kind, level, killed: 0, failed: 0, finished: 0, stuck: 0 }));
      counts[outcome.tag] += 1;
    }
    const seconds = (performance.now() - from) / 1000;
    const done = kinds.reduce(
      (sum, each) => sum + each.killed + each.failed + each.finished + each.stuck,
      0,
    );
    return { cases: done, checkedOperations: crashes.checkedOperations, seconds, kinds };
  } finally {
    disk?.destroy();
    if (disk === undefined) rmSync(directory, { recursive: true, force: true });
  }
}

/** By the calls of a life without faults. */
async function casesOf(crashes: CallCrashes, kinds: readonly CallKind[]): Promise<CallCase[]> {
  const calls = [...new Set(kinds.map(({ call }) => call))];
  const counts = {
    main: await crashes.count("main", calls),
    pool: await crashes.count("pool", calls),
  };
  return kinds.flatMap((kind) =>
    Array.from({ length: counts[kind.thread].get(kind.call) ?? 0 }, (_, i) => ({
      ...kind,
      nth: i + 1,
    })),
  );
}

async function tell(each: CallCase, crashes: CallCrashes): Promise<CallOutcome> {
  try {
    return await crashes.run(each);
  } catch (error) {
    const { thread, call, fault, nth } = each;
    throw new Error(`${call} ${nth} of ${thread} with ${fault}: ${String(error)}`, {
      cause: error,
    });
  }
}
