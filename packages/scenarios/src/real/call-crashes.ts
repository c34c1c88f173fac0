import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Book } from "./book.ts";
import { Life } from "./life.ts";
import type { LoopDisk } from "./loop-disk.ts";
import type { Level, Report } from "./protocol.ts";
import { type FaultThread, ThreadFault } from "./thread-fault.ts";

const FIRST_APPENDS = 120;
const FAULTED_APPENDS = 60;
const LAST_APPENDS = 20;
const SEED = 1;
/** Without a report. */
const PATIENCE_MS = 60_000;
const FAULTED_PATIENCE_MS = 5_000;
/** One pool thread: strace counts calls by thread. */
const ONE_POOL_THREAD = { UV_THREADPOOL_SIZE: "1" };

const TAGS: ReadonlyMap<string, "finished" | "killed" | "stuck"> = new Map([
  ["closed", "finished"],
  ["SIGKILL", "killed"],
  ["stuck", "stuck"],
]);

export interface CallKind {
  readonly thread: FaultThread;
  readonly call: string;
  /** `signal=KILL`: the process ends before it makes the call. */
  readonly fault: "signal=KILL" | "error=EIO" | "error=ENOSPC";
}

export interface CallCase extends CallKind {
  /** Which call of its thread, from 1. */
  readonly nth: number;
}

export type CallOutcome =
  /**
   * What the process made of it. `stuck`: it neither went on nor failed, and had to be ended, as where a store that must be opened
   * anew after a failed sync is tried again and again. `acknowledged`: appends that it answered.
   */
  | { readonly tag: "killed" | "failed" | "finished" | "stuck"; readonly acknowledged: number }
  /** There is no nth call. */
  | { readonly tag: "beyond" };

/**
 * One short life over and over, each time with a fault at another system call: it recovers what a killed process left, appends,
 * uploads, trims and closes. What it acknowledged must be found by the next, without strace.
 */
export class CallCrashes {
  readonly #directory: string;
  readonly #level: Level;
  /** On the disk whose power is cut after each fault: what was not synced is gone, too. */
  readonly #disk: LoopDisk | undefined;
  /** What the first life said. */
  readonly #history: Report[] = [];
  #checked = 0;

  private constructor(directory: string, level: Level, disk: LoopDisk | undefined) {
    this.#directory = directory;
    this.#level = level;
    this.#disk = disk;
  }

  /** @param directory to work in; with a disk: on it. */
  static async prepare(options: {
    readonly directory: string;
    readonly level: Level;
    readonly disk?: LoopDisk | undefined;
  }): Promise<CallCrashes> {
    const crashes = new CallCrashes(options.directory, options.level, options.disk);
    const book = new Book(options.level);
    const life = new Life();
    let acks = 0;
    await crashes.#lead(life, book, crashes.#template, undefined, (report) => {
      crashes.#history.push(report);
      if (report.tag === "acks") acks += report.acks.length;
      return acks < FIRST_APPENDS;
    });
    return crashes;
  }

  get checkedOperations(): number {
    return this.#checked;
  }

  /** @throws AssertionError where something acknowledged is lost, or the next life cannot open. */
  async run({ thread, call, fault, nth }: CallCase): Promise<CallOutcome> {
    const book = this.#restore();
    const life = new Life({ env: ONE_POOL_THREAD });
    const next = new Life();
    try {
      await life.ready();
      const when = `${fault}:when=${nth}`;
      const tracing = { pid: life.pid, thread, calls: [call], fault: when };
      const injected = await ThreadFault.inject(tracing);
      let acknowledged = 0;
      const reason = await this.#lead(life, book, this.#data, FAULTED_APPENDS, (report) => {
        if (report.tag === "acks") acknowledged += report.acks.length;
        return true;
      });
      const counts = await injected.end();
      book.died();
      if ((counts.get(call) ?? 0) < nth) return { tag: "beyond" };
      await this.#disk?.cutPower();
      const after = await this.#lead(next, book, this.#data, LAST_APPENDS, () => true);
      assert.equal(after, "closed", `the life after ${call} ${when} of ${thread}`);
      this.#checked += book.checkedOperations;
      return { tag: TAGS.get(reason) ?? "failed", acknowledged };
    } finally {
      await Promise.all([life.kill(), next.kill()]);
    }
  }

  /** How many calls of each name a thread makes in a life without faults: roughly, as some depend on the timing. */
  async count(thread: FaultThread, calls: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const book = this.#restore();
    const life = new Life({ env: ONE_POOL_THREAD });
    try {
      await life.ready();
      const tracing = await ThreadFault.inject({ pid: life.pid, thread, calls });
      const reason = await this.#lead(life, book, this.#data, FAULTED_APPENDS, () => true);
      assert.equal(reason, "closed", "a life without faults");
      return await tracing.end();
    } finally {
      await life.kill();
    }
  }

  /** The directory as the first life left it, and the book of that. */
  #restore(): Book {
    rmSync(this.#data, { recursive: true, force: true });
    cpSync(this.#template, this.#data, { recursive: true });
    this.#disk?.sync();
    const book = new Book(this.#level);
    for (const report of this.#history) book.note(report);
    book.died();
    return book;
  }

  get #template(): string {
    return join(this.#directory, "template");
  }

  get #data(): string {
    return join(this.#directory, "data");
  }

  /**
   * A whole life. @param goOn after each report; false ends it.
   *
   * @returns "closed", "stuck", the signal that ended it, or why it failed.
   */
  async #lead(
    life: Life,
    book: Book,
    directory: string,
    appends: number | undefined,
    goOn: (report: Report) => boolean,
  ): Promise<string> {
    const { nextId: firstId } = book;
    const start = { directory, level: this.#level, device: "inline", seed: SEED, firstId } as const;
    let contradiction: Error | undefined;
    let closed = false;
    let stuck = false;
    let end: Promise<unknown> = Promise.resolve();
    const stop = (): void => {
      end = life.kill();
    };
    const faulted = appends === FAULTED_APPENDS;
    const timer = setTimeout(
      () => {
        stuck = true;
        stop();
      },
      faulted ? FAULTED_PATIENCE_MS : PATIENCE_MS,
    );
    life.begin({ ...start, producers: book.producers(), appends }, (report) => {
      timer.refresh();
      try {
        book.note(report);
        if (report.tag === "closed") closed = true;
        if (!goOn(report)) stop();
      } catch (error) {
        contradiction ??= error instanceof Error ? error : new Error(String(error));
        stop();
      }
    });
    const { code, signal } = await life.dead;
    clearTimeout(timer);
    await end;
    if (contradiction !== undefined) throw contradiction;
    if (closed) return "closed";
    if (stuck && !faulted) throw new Error(`nothing happens; ${life.complaints}`);
    if (stuck) return "stuck";
    return signal ?? book.failure ?? `code ${code}: ${life.complaints}`;
  }
}
