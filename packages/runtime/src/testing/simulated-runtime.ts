import type { BlockingFiles } from "../files.ts";
import type { Runtime } from "../runtime.ts";
import { type CountingMetrics, countingMetrics } from "./counting-metrics.ts";
import { SimulatedDisk, type SimulatedDiskOptions } from "./disk/simulated-disk.ts";
import { ManualClock } from "./manual-clock.ts";
import { SimulatedNet, type SimulatedNetOptions } from "./net/simulated-net.ts";
import { type RecordingLogger, recordingLogger } from "./recording-logger.ts";
import { SeededRandom } from "./seeded-random.ts";

export interface SimulatedRuntimeOptions {
  readonly seed: number | string;
  /** Default: deferred calls wait for the clock to be driven. */
  readonly autoDefer?: boolean;
  readonly disk?: Omit<SimulatedDiskOptions, "random" | "clock">;
  readonly net?: Omit<SimulatedNetOptions, "random" | "clock">;
  /** The world of another machine, to be in too: its time, network and counters, but a disk of its own. */
  readonly beside?: Pick<SimulatedRuntime, "clock" | "net" | "metrics">;
}

/** A process in a world that a seed determines. */
export interface SimulatedRuntime extends Runtime {
  readonly clock: ManualClock;
  readonly random: SeededRandom;
  readonly disk: SimulatedDisk;
  /** The other way to `files`' tree. */
  readonly blocking: BlockingFiles;
  readonly net: SimulatedNet;
  readonly log: RecordingLogger;
  readonly metrics: CountingMetrics;
  /**
   * The process's next start in the same world, after `disk.crash()` or `disk.kill()`: the disk's new life, other random
   * numbers, an empty log; clock, network and metrics go on. Timers of the old process are not forgotten: `clock.clear()`.
   */
  restart(): SimulatedRuntime;
}

export function simulatedRuntime(options: SimulatedRuntimeOptions): SimulatedRuntime {
  const random = new SeededRandom(options.seed);
  const { beside } = options;
  const clock = beside?.clock ?? new ManualClock({ autoDefer: options.autoDefer ?? false });
  const disk = new SimulatedDisk({ ...options.disk, clock, random: random.fork("disk") });
  const net =
    beside?.net ?? new SimulatedNet({ ...options.net, clock, random: random.fork("net") });
  const metrics = beside?.metrics ?? countingMetrics();
  let starts = 0;
  const start = (): SimulatedRuntime => {
    starts += 1;
    return {
      clock,
      random: random.fork(`process ${starts}`),
      disk,
      files: disk.files,
      blocking: disk.blocking,
      net,
      log: recordingLogger(),
      metrics,
      restart: start,
    };
  };
  return start();
}
