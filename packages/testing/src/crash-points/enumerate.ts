import assert from "node:assert/strict";
import { finish } from "../log/finish.ts";
import type { Process } from "../log/process.ts";
import { Run } from "../log/run.ts";
import type { DiskHash } from "../world/disk-hash.ts";
import { Invariants } from "../world/invariants.ts";
import type { Ending } from "../world/machine.ts";
import { Sometimes } from "../world/sometimes.ts";
import type { WorldOptions } from "../world/world.ts";
import type { CrashJob, Performance, Stage } from "./job.ts";
import { appendToAll } from "./load.ts";
import { type Moment, type PortCall, PortProbe } from "./port-probe.ts";
import { checkRoot, epochOf } from "./root-check.ts";

export interface EnumerateOptions extends Pick<WorldOptions, "seed" | "store" | "tempo"> {
  /** Every `of`-th point, from the `index`-th on. Default: all. */
  readonly part?: { readonly index: number; readonly of: number };
}

/** One way to end the machine in the middle of a job. Plain data: it says how to do it again. */
export interface CrashPoint {
  /** Number of the call, from 1. */
  readonly call: number;
  readonly moment: Moment;
  readonly ending: Ending;
  /** Which of the many losses a power cut brings. */
  readonly draw: number;
  /** Number of the call, from 1, at which the process ends that opens next; 0: none. */
  readonly again: number;
  /** What follows: every log takes appends; or the whole end of a run, in which all comes to rest. */
  readonly ends: "going-on" | "at-rest";
}

export interface Enumeration {
  readonly job: string;
  readonly calls: readonly PortCall[];
  /** Points that were tried. */
  readonly points: number;
  readonly crashStates: ReadonlySet<DiskHash>;
  /** Outcomes compared with what they must be. */
  readonly checked: number;
  readonly acknowledged: number;
  readonly simulatedMs: number;
  readonly sometimes: Sometimes;
  readonly invariants: Invariants;
}

/**
 * How a machine ends at each moment of a call that changes something: killed, and by power cuts that leave nothing unsynced, or some
 * of it. At a moment of one that only looks: in one of these ways.
 */
const ENDINGS: readonly Ending[] = ["kill", "power-synced", "power", "power"];
/** Draws of what power cuts take; prime, so that each meets every moment. */
const DRAWS = 61;
/** About as many calls as an opening makes, with the first reading of everything. */
const OPENING_CALLS = 128;

/**
 * Does a job once, and numbers its calls; then once for each point, from the beginning up to it.
 *
 * @throws what goes wrong first, with the point at which it does.
 */
export async function enumerate(job: CrashJob, options: EnumerateOptions): Promise<Enumeration> {
  const { part = { index: 0, of: 1 } } = options;
  const total = new Total(job.name);
  const calls = await recordCalls(job, options, total);
  const points = pointsOf(calls).filter((_, i) => i % part.of === part.index % part.of);
  for (const point of points) total.add(await crashAt(job, options, point, calls));
  return total.result(calls, points.length);
}

/** Every point of a job with these calls. */
export function pointsOf(calls: readonly PortCall[]): readonly CrashPoint[] {
  const points: CrashPoint[] = [];
  for (const [i, { moments, isWrite }] of calls.entries())
    for (const moment of moments)
      for (const ending of isWrite
        ? ENDINGS
        : [ENDINGS[points.length % ENDINGS.length] as Ending]) {
        const number = points.length;
        // Another cut each time; every third time the next opening is cut short, too; every fifth time all comes to rest.
        points.push({
          call: i + 1,
          moment,
          ending,
          draw: number % DRAWS,
          again: number % 3 === 0 ? 1 + ((number / 3) % OPENING_CALLS) : 0,
          ends: number % 5 === 0 ? "at-rest" : "going-on",
        });
      }
  return points;
}

/**
 * Crashes at one point, opens twice, checks everything, and goes on until all is well.
 *
 * @param calls of the job, where known: the one that is struck must be the one recorded.
 */
export async function crashAt(
  job: CrashJob,
  options: EnumerateOptions,
  point: CrashPoint,
  calls?: readonly PortCall[],
): Promise<Run> {
  const what = calls?.[point.call - 1]?.label;
  try {
    return await playPoint(job, options, point, what);
  } catch (error) {
    throw new Error(
      `${what ?? job.name}: crashAt(jobNamed("${job.name}"), ${JSON.stringify(options)}, ${JSON.stringify(point)}): ${String(error)}`,
      { cause: error },
    );
  }
}

async function recordCalls(
  job: CrashJob,
  options: EnumerateOptions,
  total: Total,
): Promise<readonly PortCall[]> {
  const stage = stageOf(options, 0);
  const { run, probe } = stage;
  const performance = await job.prepare(stage);
  probe.watch(job.from);
  await performance.perform();
  const calls = probe.rest();
  await performance.check(await run.live());
  await finish(run);
  total.add(run);
  return calls;
}

/** @param what the label that the call was recorded with. */
async function playPoint(
  job: CrashJob,
  options: EnumerateOptions,
  point: CrashPoint,
  what: string | undefined,
): Promise<Run> {
  const stage = stageOf(options, point.draw);
  const { run, probe } = stage;
  const performance = await job.prepare(stage);
  probe.watch(job.from, point);
  await performance.perform();
  await run.world.clock.runDeferred();
  const struck = probe.rest()[point.call - 1]?.label;
  assert.ok(probe.hasStruck, "the call does not come");
  assert.equal(struck, what ?? struck, "the same seed did not lead to the same calls");
  if (point.again > 0) {
    run.machine.crashAfter(point.again, point.ending);
    await run.open();
    run.machine.heal();
  }
  const first = await reopened(stage, performance);
  run.machine.crash(point.ending);
  const second = await reopened(stage, performance);
  const invariants: Invariants = run.world.invariants;
  invariants.check(
    "W4",
    second.shown === first.shown,
    () => `one opening shows ${first.shown}, the next one ${second.shown}`,
  );
  invariants.check(
    "F2",
    second.epoch > first.epoch,
    () => `epoch ${second.epoch} after ${first.epoch}`,
  );
  if (point.ends === "going-on") {
    await appendToAll(run, 100, "done");
    invariants.check(
      "W12",
      second.process === run.current && second.process.pending === 0,
      "an append after the crash does not settle",
    );
  } else await finish(run);
  await performance.check(await run.live());
  run.check();
  return run;
}

/** Opens, checks, and says what is there. */
async function reopened(
  { run, probe }: Stage,
  performance: Performance,
): Promise<{ readonly process: Process; readonly shown: string; readonly epoch: number }> {
  const process = await run.live();
  const shown = shownBy(run, process);
  run.check();
  await performance.check(process);
  await checkRoot(run.world, process, probe);
  run.check();
  return { process, shown, epoch: epochOf(process) };
}

function shownBy(run: Run, process: Process): string {
  const logs = run.logs.map((_, i) => {
    const { logStartOffset, highWatermark, logEndOffset } = process.log(i);
    return `[${logStartOffset}, ${highWatermark}, ${logEndOffset})`;
  });
  return `${logs.join(" ")} ${process.digest}`;
}

function stageOf({ seed, store, tempo }: EnumerateOptions, draw: number): Stage {
  const run = new Run({ seed, store, tempo });
  const { disk } = run.machine;
  return {
    run,
    probe: new PortProbe(run.machine, { isFar: run.world.faulty !== undefined }),
    vary: () => {
      // Each crash of a disk has draws of its own; one that finds everything synced changes nothing else.
      for (let i = 0; i < draw; i += 1) disk.crash();
    },
  };
}

/** Sums up runs. */
class Total {
  readonly #job: string;
  readonly #crashStates: Set<DiskHash> = new Set();
  readonly #sometimes: Sometimes = new Sometimes();
  readonly #invariants: Invariants = new Invariants();
  #checked = 0;
  #acknowledged = 0;
  #simulatedMs = 0;

  constructor(job: string) {
    this.#job = job;
  }

  add({ world }: Run): void {
    for (const state of world.crashStates) this.#crashStates.add(state);
    this.#sometimes.addAll(world.sometimes);
    this.#invariants.addAll(world.invariants);
    this.#checked += world.tally.checked;
    this.#acknowledged += world.tally.acknowledged;
    this.#simulatedMs += world.clock.monotonicMs();
  }

  result(calls: readonly PortCall[], points: number): Enumeration {
    return {
      job: this.#job,
      calls,
      points,
      crashStates: this.#crashStates,
      checked: this.#checked,
      acknowledged: this.#acknowledged,
      simulatedMs: this.#simulatedMs,
      sometimes: this.#sometimes,
      invariants: this.#invariants,
    };
  }
}
