import { isKarstError, randomInteger } from "@karst/runtime";
import { type SimulatedRuntime, simulatedRuntime } from "@karst/runtime/testing";
import { type HolderProbe, WAL_START, type WalPosition } from "@karst/wal";
import type { Invariants } from "../world/invariants.ts";
import type { Sometimes } from "../world/sometimes.ts";
import type { CrashStates } from "./crash-states.ts";
import { checkFound, History } from "./history.ts";
import { type Opening, openWal } from "./open-wal.ts";
import type { QuickRandom } from "./quick-random.ts";
import type { Swarm } from "./swarm.ts";
import { WalDisk, type WalEnding } from "./wal-disk.ts";
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

/** Ends a wait that no event will end. */
const PATIENCE_MS = 2_000;

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
  checkedOperations = 0;
  /** Frames reported durable. */
  acknowledged = 0;
  readonly #random: QuickRandom;
  readonly #invariants: Invariants;
  readonly #sometimes: Sometimes;
  readonly #states: CrashStates;
  #runtime: SimulatedRuntime;
  readonly #beganMs: number;
  readonly #running = new Set<WalProcess>();
  readonly #alive = new Set<string>();
  #processes = 0;
  #nextId = 1;
  #greatestEpoch = 0;
  /** What nobody waited for has failed as nothing may. */
  #defect: Error | undefined;
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
    this.#invariants = options.invariants;
    this.#sometimes = options.sometimes;
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
  }

  /** On the world's clock, since it began. */
  get elapsedMs(): number {
    return this.#runtime.clock.monotonicMs() - this.#beganMs;
  }

  say(line: string): void {
    this.trace.push(line);
  }

  /** Of the newest process. */
  append(bytes: number, process: WalProcess | undefined = this.newest): void {
    if (process?.wal === undefined) return;
    const id = this.#nextId;
    const refusal = process.append(id, bytes);
    this.checkedOperations += 1;
    if (refusal === undefined) this.#nextId += 1;
    else this.#sometimes.add(`append refused ${refusal}`);
    const { pendingBytes } = process.wal;
    const most = this.swarm.limits.pendingBytesMax as number;
    // One frame alone may be larger than the limit.
    this.#invariants.check(
      "W10",
      pendingBytes <= Math.max(most, this.swarm.payloadMax + 64),
      () => `${pendingBytes} bytes are pending, the limit is ${most}`,
    );
  }

  /** Also of a process that does not know yet that it was succeeded. */
  appendAnywhere(bytes: number): void {
    const stale = [...this.#running].filter((one) => one !== this.newest);
    if (stale.length > 0) this.append(bytes, this.#random.pick(stale));
  }

  turn(): Promise<void> {
    return this.#runtime.clock.runDeferred();
  }

  advance(ms: number): Promise<void> {
    return this.#runtime.clock.advance(ms);
  }

  /** Waits for everything appended, within reason: on a full disk it would be for ever. */
  async flush(): Promise<void> {
    const wal = this.newest?.wal;
    if (wal !== undefined) await this.#patiently(wal.flush());
  }

  /** The owner records the trim, then trims. */
  async trimTo(fraction: number, waits = true): Promise<void> {
    const { history, newest } = this;
    const wal = newest?.wal;
    if (wal === undefined || history.durable === 0) return;
    // What was found but not reported by this process is durable as well.
    const index = Math.min(Math.floor(fraction * history.durable), history.durable - 1);
    const entry = history.entries[index];
    if (entry === undefined) return;
    // Either edge of a frame is as good.
    const position = fraction > 0.5 ? entry.end : entry.start;
    if (position > wal.durablePosition || position <= this.trim) return;
    this.trim = position as WalPosition;
    if (this.#contested) history.loose = true;
    while ((history.entries[history.first]?.end ?? Infinity) <= position) history.first += 1;
    this.#sometimes.add("trimmed");
    const trimmed = wal.trim(this.trim);
    if (waits) {
      await this.#patiently(trimmed);
      return;
    }
    // Its owner may end meanwhile.
    trimmed.catch((error: unknown) => {
      if (!isKarstError(error)) this.#defect ??= error as Error;
    });
  }

  /** Reads one frame back. */
  async read(fraction: number): Promise<void> {
    const { history, newest } = this;
    const wal = newest?.wal;
    const entry =
      history.entries[history.first + Math.floor(fraction * (history.durable - history.first))];
    if (wal === undefined || entry === undefined || newest?.failure !== undefined) return;
    if (entry.end > wal.durablePosition) return;
    const read = wal.read(entry.start as WalPosition).then(
      (frame) => {
        this.checkedOperations += 1;
        this.#invariants.check(
          "W6",
          frame.streamId === entry.id,
          () => `read ${frame.streamId} at ${entry.start}, where ${entry.id} was appended`,
        );
        return true;
      },
      (error: unknown) => {
        if (!isKarstError(error)) throw error;
        return (
          error.code === "IO_ERROR" ||
          error.kind === "closed" ||
          error.kind === "fenced" ||
          entry.start < this.trim
        );
      },
    );
    const fine = await this.#patiently(read);
    const harmed = this.disk.isHarmed || this.disk.sprung;
    this.#invariants.check(
      "W1",
      fine !== false || harmed,
      () => `frame ${entry.id} at ${entry.start} cannot be read`,
    );
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
      this.#invariants.check(
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
      this.#invariants,
      found.map(({ id }) => id),
      this.history.expect(this.trim),
      `epoch ${epoch}`,
    );
    this.checkedOperations += found.length;
    for (const one of this.#running) one.superseded = true;
    if (earlier !== undefined) this.#sometimes.add("usurped");
    if (found.length > 0) this.#sometimes.add("frames recovered");
    process.wal = wal;
    process.reported = wal.durablePosition;
    this.history = new History(found);
    process.history = this.history;
    this.#running.add(process);
    this.newest = process;
    this.#contested = false;
    return true;
  }

  /** A clean end of the newest process. */
  async close(): Promise<void> {
    const process = this.newest;
    if (process?.wal === undefined) return;
    const closed = await this.#patiently(
      process.wal.close().then(
        () => true,
        () => false,
      ),
    );
    if (closed === undefined) return;
    const { history } = process;
    this.#invariants.check(
      "PL4",
      !closed || process.failure !== undefined || history?.durable === history?.entries.length,
      "closed, and not everything is durable",
    );
    if (closed) this.#sometimes.add("closed");
    await this.#ended(process);
  }

  /** The newest process lets its WAL go, and lives on. */
  async abandon(): Promise<void> {
    const process = this.newest;
    if (process?.wal === undefined) return;
    await this.#patiently(process.wal.abandon());
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
    for (const process of this.#running) {
      const { wal } = process;
      if (wal !== undefined) await this.#patiently(wal.abandon());
      await this.#ended(process);
    }
    this.newest = undefined;
    this.#contested = false;
    this.#alive.clear();
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
      this.#invariants.check("W12", await this.open(), "an unharmed world does not open");
    }
    const process = this.newest as WalProcess;
    // A full disk is looked at again within the longest retry.
    await this.advance(200);
    for (let tries = 0; process.append(this.#nextId, 20) !== undefined; tries += 1) {
      this.#invariants.check(
        "W12",
        tries < 20 && process.failure === undefined,
        () => `an append is refused for ever: ${String(process.failure)}`,
      );
      await this.advance(100);
    }
    this.#nextId += 1;
    await this.advance(500);
    this.#invariants.check(
      "W12",
      process.pending === 0,
      () => `${process.pending} appends are never settled`,
    );
    await this.close();
    await this.end("synced");
    this.#invariants.check("W12", await this.open(), "a healed world does not open");
    await this.end("kill");
  }

  /** No other process, no fault, and room: an opening has no reason to fail. */
  get #isUndisturbed(): boolean {
    return this.#running.size === 0 && this.disk.isCalm;
  }

  async checkStates(): Promise<void> {
    this.#invariants.rethrow();
    if (this.#defect !== undefined) throw this.#defect;
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
        durable: (position) => this.#durable(process, position),
        failed: (error) => {
          process.failure = error;
          this.#sometimes.add(isKarstError(error) ? `instance failed ${error.code}` : "");
        },
      },
      holder: this.#holder(process),
      invariants: this.#invariants,
      onCut: () => this.#sometimes.add("torn tail cut"),
      onClaimed: (epoch) => {
        this.#invariants.check(
          "F2",
          epoch > this.#greatestEpoch,
          () => `epoch ${epoch} after ${this.#greatestEpoch}`,
        );
        this.#greatestEpoch = epoch;
      },
    });
    return runtime.clock.runUntil(opening);
  }

  #holder(process: WalProcess): HolderProbe {
    const self = `process ${process.number}`;
    return {
      self,
      isAlive: (line) => this.swarm.courtesy && this.#alive.has(line),
      begin: () => void this.#alive.add(self),
      end: () => void this.#alive.delete(self),
    };
  }

  #refused(process: WalProcess, error: Error & { readonly code?: string }): void {
    const code = error.code ?? "";
    this.say(`refused ${code}`);
    this.#invariants.check(
      "F7",
      OPENING_ERRORS.has(code),
      () => `an opening ended with ${error.stack}`,
    );
    this.#sometimes.add(`opening refused ${code}`);
    this.#invariants.check(
      "PL4",
      process.budget.reservedBytes === 0,
      () => `a refused opening holds ${process.budget.reservedBytes} bytes`,
    );
  }

  /** A process is told that everything below is durable: so it is, on every medium that a crash may leave, and for whoever opened later. */
  #durable(process: WalProcess, position: number): void {
    // Its call is on the way to a process that is gone.
    if (this.disk.sprung) return;
    const history = process.history as History;
    this.#invariants.check(
      "W8",
      process.failure === undefined,
      () => `${position} reported durable by an instance that has failed`,
    );
    this.#invariants.check(
      "W3",
      position > process.reported,
      () => `${position} reported durable after ${process.reported}`,
    );
    process.reported = position;
    for (; (history.entries[history.durable]?.end ?? Infinity) <= position; history.durable += 1) {
      const { id, start, end } = history.entries[history.durable] as {
        id: number;
        start: number;
        end: number;
      };
      this.#invariants.check(
        process.superseded ? "F3" : "W1",
        !process.superseded && this.disk.isDurable(start, end),
        () =>
          `frame ${id} at [${start}, ${end}) was reported durable ${process.superseded ? "by a process that was succeeded" : "and is not"}`,
      );
      this.#invariants.check(
        "F5",
        !this.disk.wasFenced(start),
        () => `frame ${id} was synced after a later claim, and reported durable`,
      );
      this.checkedOperations += 1;
      this.acknowledged += 1;
    }
  }

  async #ended(process: WalProcess): Promise<void> {
    this.#running.delete(process);
    if (this.newest === process) this.newest = undefined;
    await this.turn();
    this.#invariants.check(
      "PL4",
      process.pending === 0,
      () => `${process.pending} appends are not settled by the end of process ${process.number}`,
    );
    const { reservedBytes } = process.budget;
    this.#invariants.check(
      "PL4",
      reservedBytes === 0,
      () => `process ${process.number} has ended and holds ${reservedBytes} bytes`,
    );
    this.#invariants.check(
      "PL4",
      !this.#isUndisturbed || this.disk.openFiles === 0,
      () => `process ${process.number} has ended, and ${this.disk.openFiles} files are open`,
    );
  }

  /** What it resolves to; undefined: it was rejected, or takes longer than anybody waits. */
  async #patiently<T>(promise: Promise<T>): Promise<T | undefined> {
    const waiting: { settled: boolean; value?: T; defect?: Error } = { settled: false };
    promise.then(
      (value) => {
        waiting.value = value;
        waiting.settled = true;
      },
      (error: unknown) => {
        if (!isKarstError(error)) waiting.defect = error as Error;
        waiting.settled = true;
      },
    );
    await this.turn();
    for (let waitedMs = 0; !waiting.settled && waitedMs < PATIENCE_MS; waitedMs += 20)
      await this.advance(20);
    if (waiting.defect !== undefined) throw waiting.defect;
    return waiting.value;
  }
}
