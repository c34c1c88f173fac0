import { noFaults } from "@karst/objectstore";
import { hasCode, isKarstError } from "@karst/runtime";
import type { Invariants } from "../world/invariants.ts";
import { lostGets, spoiledGets } from "../world/unreliable-connection.ts";
import type { Habits } from "./catch-up-reader.ts";
import { append, trim } from "./load-steps.ts";
import { within } from "./open-log.ts";
import type { Process } from "./process.ts";
import { abandon, close } from "./process-steps.ts";
import type { Run } from "./run.ts";
import type { Step } from "./step.ts";

/** Longer than an answer is late, and than a lost request is tried again. */
const LOST_MS = 10_000;
const LATE_MS = 5_000;
/** Of one read of many. */
const BYTES = 700;
/** Before what was refused for want of memory is asked for again, and how often it may be. */
const RETRY_MS = 200;
const RETRIES_MAX = 300;

/** What goes wrong with reads of objects. */
export type BadReads = "lost" | "spoiled" | "late" | "all" | "none";

/** Readers, and what becomes of what they read meanwhile. */
export interface CatchUp {
  readonly index: number;
  /** Batches that are appended before. */
  readonly stocked: number;
  /** What they read is in objects alone: the engine has been closed, and opened again. */
  readonly cold: boolean;
  /** From when they begin on; undefined: what did before. */
  readonly bad?: BadReads;
  readonly readers: readonly (Habits & { readonly where: number })[];
  /** How long they are left to themselves. */
  readonly ms: number;
  /** They go on beside whatever comes next; all is well again; the log is trimmed, or the engine ends, while they read. */
  readonly afterwards: "on" | "calm" | "trim" | "close" | "abandon";
}

/** Readers begin at the log's start, or above it, each in its own way. */
export function catchUp({ index, stocked, cold, bad, readers, ms, afterwards }: CatchUp): Step {
  return async (run) => {
    if (stocked > 0)
      await append(index, 0, { times: stocked, count: 1, bytes: 150, wait: "done" })(run);
    if (cold) await close(run);
    const process = await run.live();
    if (bad !== undefined) await badReads(bad)(run);
    const log = process.log(index);
    for (const { where, ...habits } of readers)
      run.catchUp(process, { index, from: within(log, where), end: log.highWatermark, habits });
    // They have asked for something, or have been answered.
    await run.world.clock.advance(ms);
    if (afterwards === "calm") await calm(BYTES)(run);
    if (afterwards === "trim") await trim(index, 0.75, "turn")(run);
    if (afterwards === "close") await close(run);
    if (afterwards === "abandon") await abandon(run);
  };
}

/**
 * Objects are read badly from now on, or well again: half of what is asked for gets lost, the first answer about each object is wrong or
 * that it is not there, answers are late and in any order, or all of that.
 */
export function badReads(how: BadReads): Step {
  return async ({ world, machine, unspoiled }) => {
    world.faulted(`bad reads: ${how}`);
    const lost = how === "lost" || how === "all";
    const wrong = how === "spoiled" || how === "all";
    const lossy = lost ? lostGets : noFaults;
    world.late.msMax = how === "late" || how === "all" ? LATE_MS : 0;
    world.faulty?.setPlan(wrong ? spoiledGets(lossy, unspoiled) : lossy);
    if (world.faulty === undefined) machine.spoilReads(lost || wrong ? 0.4 : 0);
  };
}

/** All is well again, for now. Once what was on its way has come, everything can be read. */
export function calm(bytesMax: number): Step {
  return async (run) => {
    const { world } = run;
    world.heal();
    const process = await run.live();
    await world.clock.advance(LOST_MS);
    for (const index of run.logs.keys()) await readWell(run, process, index, bytesMax);
  };
}

/** Reads a log on which nothing goes wrong any more, while others read it. */
export async function readWell(
  run: Run,
  process: Process,
  index: number,
  bytesMax: number = BYTES,
): Promise<void> {
  const log = process.log(index);
  const model = run.logs[index];
  const invariants: Invariants = run.world.invariants;
  let retries = 0;
  for (let from = log.logStartOffset; from < log.highWatermark;) {
    const { highWatermark } = log;
    const outcome = await run.world.until(process.life, log.read({ from, bytesMax }));
    if (outcome.tag === "ok") {
      model?.checkRead(from, outcome.value, highWatermark);
      run.world.tally.checked += 1;
      from = outcome.value.nextOffset;
      outcome.value.release();
      continue;
    }
    invariants.check("P4", outcome.tag !== "late", () => `a read at ${from} comes to no end`);
    if (outcome.tag !== "failed" || isKarstError(outcome.error, "closed", "fenced")) return;
    if (isKarstError(outcome.error, "out_of_range") && model?.mayStartAbove(from) === true) {
      from = Math.max(from, log.logStartOffset);
    } else {
      const short = hasCode(outcome.error, "MEMORY_BUDGET_EXCEEDED") && retries < RETRIES_MAX;
      invariants.check(
        "K5",
        short,
        () =>
          `the store is well, and log ${index} cannot be read at ${from}: ${String(outcome.error)}`,
      );
    }
    retries += 1;
    await run.world.clock.advance(RETRY_MS);
  }
}
