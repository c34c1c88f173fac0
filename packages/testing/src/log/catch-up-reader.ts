import assert from "node:assert/strict";
import { hasCode, isKarstError, sleep } from "@karst/runtime";
import type { Invariants } from "../world/invariants.ts";
import type { World } from "../world/world.ts";
import type { LogModel } from "./log-model.ts";
import type { Read } from "./open-log.ts";
import type { Process } from "./process.ts";

/** Between two tries of a read; doubled each time it fails. */
const RETRY_MS_MIN = 40;
const RETRY_MS_MAX = 2_000;

/** How a reader goes about it. */
export interface Habits {
  /** Of one read. */
  readonly bytesMax: number;
  /** Between two reads. */
  readonly pauseMs: number;
  /** For so long it keeps what every third read gave it, and the memory of it. */
  readonly holdMs: number;
  /** After so long it gives every second read up, to begin it anew; undefined: never. */
  readonly patienceMs: number | undefined;
}

/**
 * A consumer that catches up: reads what was there when it began, over all processes that have the log, whatever becomes of its reads.
 *
 * Invariants: `#position` only grows, up to `#end`; what it was shown is all that there is between where it began and `#position`.
 */
export class CatchUpReader {
  readonly index: number;
  readonly #log: LogModel;
  readonly #world: World;
  readonly #habits: Habits;
  readonly #end: number;
  #position: number;
  /** Counts the times it was told to go on: only the last one does. */
  #turn = 0;
  #reads = 0;
  #retryMs = RETRY_MS_MIN;
  #isHurried = false;
  #isHealed = false;
  /** What it found wrong. */
  #failure: unknown;

  constructor(options: {
    readonly world: World;
    readonly log: LogModel;
    readonly index: number;
    readonly from: number;
    readonly end: number;
    readonly habits: Habits;
  }) {
    this.index = options.index;
    this.#log = options.log;
    this.#world = options.world;
    this.#habits = options.habits;
    this.#position = options.from;
    this.#end = options.end;
  }

  get position(): number {
    return this.#position;
  }

  get isDone(): boolean {
    return this.#position >= this.#end;
  }

  /** Goes on with the log as this process has it. */
  follow(process: Process): void {
    this.#turn += 1;
    this.#run(process, this.#turn).catch((error: unknown) => {
      this.#failure ??= error;
    });
  }

  /** From now on it does not dawdle. */
  hurry(): void {
    this.#isHurried = true;
  }

  /** From now on nothing goes wrong, and nothing is on its way that did. */
  healed(): void {
    this.#isHealed = true;
  }

  /** @throws what it found wrong. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure as Error;
  }

  async #run(process: Process, turn: number): Promise<void> {
    const goesOn = (): boolean =>
      this.#turn === turn && !process.life.isOver && !process.isFenced && !this.isDone;
    try {
      while (goesOn()) {
        await this.#readOn(process, goesOn);
        await this.#pause(process, this.#habits.pauseMs);
      }
    } catch (error) {
      // It is told when somebody else has the log.
      if (!isKarstError(error, "closed", "fenced")) throw error;
      return;
    }
    if (this.#turn === turn && this.isDone) this.#world.sometimes.add("caught-up");
  }

  async #readOn(process: Process, goesOn: () => boolean): Promise<void> {
    const log = process.log(this.index);
    const from = this.#position;
    const { highWatermark, logEndOffset } = log;
    const abort = new AbortController();
    this.#reads += 1;
    if (this.#habits.patienceMs !== undefined && !this.#isHurried && this.#reads % 2 === 0) {
      const { clock } = process.engine.runtime;
      clock.setTimer(this.#habits.patienceMs, () => abort.abort(new GivenUp()));
    }
    try {
      const reading = log.read({
        from,
        bytesMax: this.#habits.bytesMax,
        signal: abort.signal,
      });
      const read = await process.life.lived(reading);
      if (logEndOffset > highWatermark) this.#world.sometimes.add("read-beside-doubt");
      if (this.#reads % 3 === 0) await this.#pause(process, this.#habits.holdMs);
      // What it has read is the same when it lets go of it.
      if (goesOn()) this.#take(from, highWatermark, read);
      read.release();
    } catch (error) {
      if (process.isFenced && isKarstError(error, "out_of_range")) return;
      await this.#bear(process, from, error);
    }
  }

  #take(from: number, highWatermark: number, read: Read): void {
    this.#log.checkRead(from, read, highWatermark);
    this.#world.tally.checked += 1;
    this.#position = read.nextOffset;
    this.#retryMs = RETRY_MS_MIN;
  }

  async #bear(process: Process, from: number, error: unknown): Promise<void> {
    const { sometimes } = this.#world;
    if (error instanceof GivenUp) {
      sometimes.add("read-given-up");
    } else if (isKarstError(error, "out_of_range")) {
      // Perhaps nobody has heard yet that the trim has happened.
      const { logStartOffset } = process.log(this.index);
      assert.ok(this.#log.mayStartAbove(from), String(error));
      sometimes.add("overtaken-by-trim");
      this.#position = Math.max(from, logStartOffset);
      if (logStartOffset <= from) await this.#backOff(process);
    } else if (isKarstError(error, "unavailable")) {
      const starved = hasCode(error, "MEMORY_BUDGET_EXCEEDED");
      const invariants: Invariants = this.#world.invariants;
      invariants.check(
        "K5",
        starved || !this.#isHealed,
        () =>
          `nothing goes wrong any more, and a read of ${this.#log.name} fails: ${error.message}`,
      );
      sometimes.add(starved ? "read-without-memory" : "read-failed");
      await this.#backOff(process);
    } else throw error;
  }

  async #backOff(process: Process): Promise<void> {
    const ms = this.#isHurried ? RETRY_MS_MIN : this.#retryMs;
    this.#retryMs = Math.min(2 * ms, RETRY_MS_MAX);
    await sleep(process.engine.runtime.clock, ms);
  }

  async #pause(process: Process, ms: number): Promise<void> {
    if (ms > 0 && !this.#isHurried) await sleep(process.engine.runtime.clock, ms);
  }
}

/** It has no patience any more. */
class GivenUp extends Error {}
