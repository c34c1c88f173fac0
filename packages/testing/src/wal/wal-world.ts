import { isKarstError, randomInteger } from "@karst/runtime";
import { type ManualClock, type SimulatedRuntime, simulatedRuntime } from "@karst/runtime/testing";
import { WAL_START, type WalPosition } from "@karst/wal";
import type { Invariants } from "../world/invariants.ts";
import type { Sometimes } from "../world/sometimes.ts";
import type { CrashStates } from "./crash-states.ts";
import { DurableReports } from "./durable-reports.ts";
import { checkFound, History } from "./history.ts";
import { type Opening, openWal } from "./open-wal.ts";
import { Openers } from "./openers.ts";
import { patiently } from "./patience.ts";
import type { QuickRandom } from "./quick-random.ts";
import type { Swarm } from "./swarm.ts";
import { WalDisk, type WalEnding } from "./wal-disk.ts";
import { WalLoad } from "./wal-load.ts";
import { WalProcess } from "./wal-process.ts";

/** Errors with which an opening may end where the disk fails, or others open at the same time. */
const OPENING_ERRORS: ReadonlySet<string> = new Set([
  "IO_ERROR",
  "NO_SPACE",
  "WAL_FAILED",
  "WAL_FULL",
  "WAL_IN_USE",
  "WAL_FENCED",
]);

/**
 * A directory with a WAL, the processes that open it one after another or several at once, and what they were told.
 *
 * Invariant: `history` is what the newest opening that came to its end found, and what its process appended since.
 */
export class WalWorld {
  readonly swarm: Swarm;
  readonly trace: string[] = [];
  readonly disk: WalDisk;
  history: History = new History([]);
  /** What the catalogue would say. */
  trim: WalPosition = WAL_START;
  /** The newest that came to its end, if it still runs. */
  newest: WalProcess | undefined;
  readonly load: WalLoad;
  readonly invariants: Invariants;
  readonly sometimes: Sometimes;
  readonly #random: QuickRandom;
  readonly #states: CrashStates;
  #runtime: SimulatedRuntime;
  readonly #beganMs: number;
  readonly #reports: DurableReports;
  readonly #openers: Openers;
  /** Frames that openings have found, as they must be. */
  #foundFrames = 0;
  #processes = 0;
  /** A claim later than the newest process's has been tried. */
  #contested = false;

  constructor(options: {
    readonly seed: number;
    readonly random: QuickRandom;
    readonly swarm: Swarm;
    readonly invariants: Invariants;
    readonly sometimes: Sometimes;
    readonly states: CrashStates;
  }) {
    this.swarm = options.swarm;
    this.#random = options.random;
    this.invariants = options.invariants;
    this.sometimes = options.sometimes;
    this.#states = options.states;
    this.#runtime = simulatedRuntime({ seed: options.seed });
    this.#beganMs = this.#runtime.clock.monotonicMs();
    this.disk = new WalDisk({
      disk: this.#runtime.disk,
      random: options.random.fork("disk"),
      samplePercent: options.swarm.samplePercent,
      sometimes: options.sometimes,
      states: options.states,
      expect: () => this.history.expect(this.trim),
      onRival: () => {
        this.#contested = true;
      },
    });
    this.load = new WalLoad(this, options.random);
    this.#reports = new DurableReports(this.disk, options.invariants);
    this.#openers = new Openers(options.invariants, options.swarm.courtesy);
  }

  get clock(): ManualClock {
    return this.#runtime.clock;
  }

  /** Frames reported durable. */
  get acknowledged(): number {
    return this.#reports.frames;
  }

  /** Whatever was compared with what it must be. */
  get checkedOperations(): number {
    return this.load.checked + this.#reports.frames + this.#foundFrames;
  }

  /** Those that run, and do not know yet that they were succeeded. */
  get stale(): readonly WalProcess[] {
    return this.#openers.running.filter((one) => one !== this.newest);
  }

  /** On the world's clock, since it began. */
  get elapsedMs(): number {
    return this.#runtime.clock.monotonicMs() - this.#beganMs;
  }

  say(line: string): void {
    this.trace.push(line);
  }

  turn(): Promise<void> {
    return this.#runtime.clock.runDeferred();
  }

  advance(ms: number): Promise<void> {
    return this.#runtime.clock.advance(ms);
  }

  /** The catalogue says so from now on. */
  recordTrim(position: WalPosition): void {
    const { history } = this;
    this.trim = position;
    if (this.#contested) history.loose = true;
    while ((history.entries[history.first]?.end ?? Infinity) <= position) history.first += 1;
    this.sometimes.add("trimmed");
  }

  /** Opens while the newest process, if any, goes on; says whether that came to its end. */
  async open(): Promise<boolean> {
    this.#processes += 1;
    const process = new WalProcess(this.#processes, this.swarm.slabBytes);
    const earlier = this.newest;
    if (earlier !== undefined) this.#contested = true;
    const undisturbed = this.#isUndisturbed;
    const opening = await this.#openAs(process);
    if (opening.tag === "failed") {
      this.invariants.check(
        "W12",
        !undisturbed || !this.#isUndisturbed,
        () => `nothing is in the way of an opening, and it is refused: ${opening.error.stack}`,
      );
      this.#refused(process, opening.error);
      return false;
    }
    const { found, wal, epoch } = opening;
    this.say(`epoch ${epoch} found ${found.length}`);
    checkFound(
      this.invariants,
      found.map(({ id }) => id),
      this.history.expect(this.trim),
      `epoch ${epoch}`,
    );
    this.#foundFrames += found.length;
    if (earlier !== undefined) this.sometimes.add("usurped");
    if (found.length > 0) this.sometimes.add("frames recovered");
    process.wal = wal;
    process.reported = wal.durablePosition;
    this.history = new History(found);
    process.history = this.history;
    this.#openers.opened(process);
    this.newest = process;
    this.#contested = false;
    return true;
  }

  /** A clean end of the newest process. */
  async close(): Promise<void> {
    const process = this.newest;
    if (process?.wal === undefined) return;
    const closed = await patiently(
      this.clock,
      process.wal.close().then(
        () => true,
        () => false,
      ),
    );
    if (closed === undefined) return;
    const { history } = process;
    this.invariants.check(
      "PL4",
      !closed || process.failure !== undefined || history?.durable === history?.entries.length,
      "closed, and not everything is durable",
    );
    if (closed) this.sometimes.add("closed");
    await this.#ended(process);
  }

  /** The newest process lets its WAL go, and lives on. */
  async abandon(): Promise<void> {
    const process = this.newest;
    if (process?.wal === undefined) return;
    await patiently(this.clock, process.wal.abandon());
    await this.#ended(process);
  }

  /** Opens in the same life, where nothing has ended it; says whether that came to its end. */
  async reopenInPlace(): Promise<boolean> {
    if (this.disk.sprung) return false;
    await this.abandon();
    return this.open();
  }

  /** Every process ends; with a power cut, what was not synced may be gone. */
  async end(ending: WalEnding): Promise<void> {
    this.disk.end(ending);
    for (const process of this.#openers.running) {
      const { wal } = process;
      if (wal !== undefined) await patiently(this.clock, wal.abandon());
      await this.#ended(process);
    }
    this.newest = undefined;
    this.#contested = false;
    this.#openers.allEnded();
    this.#runtime.clock.clear();
    this.#runtime = this.#runtime.restart();
  }

  /** Whether the trap has sprung, or the newest process has failed: what there is to do is to open again. */
  get isOver(): boolean {
    return this.disk.sprung || this.newest === undefined || this.newest.failure !== undefined;
  }

  /** After healing: an append becomes durable, and everything is settled. */
  async proveAlive(): Promise<void> {
    if (this.isOver || this.#contested) {
      await this.end("kill");
      this.invariants.check("W12", await this.open(), "an unharmed world does not open");
    }
    const process = this.newest as WalProcess;
    // A full disk is looked at again within the longest retry.
    await this.advance(200);
    for (let tries = 0; this.load.append(20) !== undefined; tries += 1) {
      this.invariants.check(
        "W12",
        tries < 20 && process.failure === undefined,
        () => `an append is refused for ever: ${String(process.failure)}`,
      );
      await this.advance(100);
    }
    await this.advance(500);
    this.invariants.check(
      "W12",
      process.pending === 0,
      () => `${process.pending} appends are never settled`,
    );
    await this.close();
    await this.end("synced");
    this.invariants.check("W12", await this.open(), "a healed world does not open");
    await this.end("kill");
  }

  /** No other process, no fault, and room: an opening has no reason to fail. */
  get #isUndisturbed(): boolean {
    return this.#openers.running.length === 0 && this.disk.isCalm;
  }

  async checkStates(): Promise<void> {
    this.invariants.rethrow();
    this.load.check();
    await this.#states.check(this.swarm.limits);
  }

  async #openAs(process: WalProcess): Promise<Opening> {
    const runtime = this.#runtime;
    const steps = this.#random.fork(`steps ${process.number}`);
    const { stepMsMax, limits } = this.swarm;
    const opening = openWal({
      files: runtime.blocking,
      clock: runtime.clock,
      stepClock: runtime.clock,
      ...(stepMsMax === 0 ? {} : { stepMs: () => randomInteger(steps, 0, stepMsMax) }),
      random: runtime.random.fork(`wal ${process.number}`),
      slabs: process.slabs,
      limits,
      trim: () => this.trim,
      listener: {
        durable: (position) => this.#reports.reported(process, position),
        failed: (error) => {
          process.failure = error;
          this.sometimes.add(isKarstError(error) ? `instance failed ${error.code}` : "");
        },
      },
      holder: this.#openers.holder(process),
      invariants: this.invariants,
      onCut: () => this.sometimes.add("torn tail cut"),
      onClaimed: (epoch) => this.#openers.claimed(epoch),
    });
    return runtime.clock.runUntil(opening);
  }

  #refused(process: WalProcess, error: Error & { readonly code?: string }): void {
    const code = error.code ?? "";
    this.say(`refused ${code}`);
    this.invariants.check(
      "F7",
      OPENING_ERRORS.has(code),
      () => `an opening ended with ${error.stack}`,
    );
    this.sometimes.add(`opening refused ${code}`);
    this.invariants.check(
      "PL4",
      process.budget.reservedBytes === 0,
      () => `a refused opening holds ${process.budget.reservedBytes} bytes`,
    );
  }

  async #ended(process: WalProcess): Promise<void> {
    this.#openers.ended(process);
    if (this.newest === process) this.newest = undefined;
    await this.turn();
    this.invariants.check(
      "PL4",
      process.pending === 0,
      () => `${process.pending} appends are not settled by the end of process ${process.number}`,
    );
    const { reservedBytes } = process.budget;
    this.invariants.check(
      "PL4",
      reservedBytes === 0,
      () => `process ${process.number} has ended and holds ${reservedBytes} bytes`,
    );
    this.invariants.check(
      "PL4",
      !this.#isUndisturbed || this.disk.openFiles === 0,
      () => `process ${process.number} has ended, and ${this.disk.openFiles} files are open`,
    );
  }
}
