import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CodecName } from "@karst/records";
import type { Row } from "./dataset.ts";
import { Journal } from "./journal.ts";
import { Seeded } from "./seeded.ts";
import { type ReadRow, type Verdict, verify } from "./verify.ts";
import { within } from "./within.ts";
import { rowsOfPartition, type Writer, type WriterOptions } from "./writers/writer.ts";

/** Of every topic that is written. */
export const PARTITIONS = 2;

const CLOSE_TIMEOUT_MS = 60_000;
/** For writers whose run has failed. */
const GIVING_UP_TIMEOUT_MS = 5_000;

/** What is killed, or cut off, and comes back. */
export interface Victim {
  kill(): Promise<void>;
  start(): Promise<void>;
}

export interface WriterPlan {
  readonly topic: string;
  readonly idempotent: boolean;
  /** Default "none". */
  readonly compression?: CodecName;
  readonly batchMin: number;
  readonly batchMax: number;
  readonly make: (options: WriterOptions) => Promise<Writer>;
}

export interface KillRunOptions {
  readonly seed: number;
  readonly rows: readonly Row[];
  readonly plans: readonly WriterPlan[];
  readonly bootstrap: string;
  readonly victim: Victim;
  readonly kills: number;
  /** Reads everything back after the last row, by somebody who has not written it. */
  readonly readBack: (topics: readonly string[]) => Promise<readonly ReadRow[]>;
}

export interface KillRunResult extends Verdict {
  readonly seed: number;
  readonly kills: number;
  /** Rows that were in flight at some kill. */
  readonly inFlightAtKill: number;
}

/**
 * Writes the rows through every writer at once, kills the victim at seeded points, and checks what the writers were promised.
 *
 * @throws AssertionError from `verify`; what a writer that gave up threw, or the victim where it does not come back.
 */
export async function killRun(options: KillRunOptions): Promise<KillRunResult> {
  const directory = await mkdtemp(join(tmpdir(), "karst-journal-"));
  const random = new Seeded(options.seed);
  const points = killPoints(random, options.kills, options.rows.length);
  const inFlightAtKill = new Set<number>();
  const writers: Writer[] = [];
  const over = new AbortController();
  let killing: Promise<void> = Promise.resolve();
  let victimIsLost: (error: unknown) => void = () => undefined;
  const victimLost = new Promise<never>((_, reject) => {
    victimIsLost = reject;
  });
  victimLost.catch(() => undefined);
  let killed = 0;
  const killNow = async (): Promise<void> => {
    for (const writer of writers) for (const id of writer.inFlight) inFlightAtKill.add(id);
    await options.victim.kill();
    // What was sent between the decision and the death was in flight too.
    for (const writer of writers) for (const id of writer.inFlight) inFlightAtKill.add(id);
    killed += 1;
    await options.victim.start();
  };
  const journal = new Journal(join(directory, "journal.jsonl"), (count) => {
    while (points.length > 0 && count >= (points[0] as number)) {
      points.shift();
      const pauseMs = random.integer(0, 40);
      killing = killing
        .then(() => new Promise((resolve) => setTimeout(resolve, pauseMs)))
        .then(killNow);
      // Writers would wait for it as long as they can.
      killing.catch(victimIsLost);
    }
  });
  try {
    const shares = share(options.rows, options.plans.length);
    const written = new Map<string, readonly (readonly number[])[]>();
    for (const [index, plan] of options.plans.entries()) {
      const writer = await plan.make({
        topic: plan.topic,
        idempotent: plan.idempotent,
        compression: plan.compression ?? "none",
        bootstrap: options.bootstrap,
        partitions: PARTITIONS,
        journal,
        signal: over.signal,
        nextBatchSize: () => random.integer(plan.batchMin, plan.batchMax),
      });
      writers.push(writer);
      const rows = shares[index] ?? [];
      written.set(
        plan.topic,
        Array.from({ length: PARTITIONS }, (_, p) =>
          rowsOfPartition(rows, p, PARTITIONS).map((row) => row.id),
        ),
      );
    }
    const writing = writers.map((writer, index) => writer.write(shares[index] ?? []));
    await Promise.race([Promise.all(writing), victimLost]);
    await killing;
    for (const writer of writers)
      await within(CLOSE_TIMEOUT_MS, `the writer of ${writer.topic} is closed`, writer.close());
    const verdict = verify({
      journal: journal.read(),
      read: await options.readBack(options.plans.map((plan) => plan.topic)),
      written,
      idempotentTopics: new Set(
        options.plans.filter((plan) => plan.idempotent).map((plan) => plan.topic),
      ),
      inFlightAtKill,
    });
    return { ...verdict, seed: options.seed, kills: killed, inFlightAtKill: inFlightAtKill.size };
  } catch (error) {
    over.abort(error);
    const closing = Promise.allSettled(writers.map((writer) => writer.close()));
    await within(GIVING_UP_TIMEOUT_MS, "all is closed", closing).catch(() => undefined);
    throw error;
  } finally {
    await killing.catch(() => undefined);
    await rm(directory, { recursive: true, force: true });
  }
}

/** Counts of acknowledged rows at which to kill: one in each of `kills` equal parts of the run, the last part excepted. */
function killPoints(random: Seeded, kills: number, rows: number): number[] {
  const part = Math.floor((rows * 0.9) / kills);
  return Array.from(
    { length: kills },
    (_, index) => index * part + random.integer(Math.floor(part / 10), part - 1),
  );
}

/** Rows for each writer: consecutive runs of nearly equal length. */
function share(rows: readonly Row[], writers: number): Row[][] {
  const size = Math.ceil(rows.length / writers);
  return Array.from({ length: writers }, (_, index) =>
    rows.slice(index * size, (index + 1) * size),
  );
}
