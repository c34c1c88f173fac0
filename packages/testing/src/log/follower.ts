import assert from "node:assert/strict";
import { isKarstError, sleep } from "@karst/runtime";
import type { LogModel } from "./log-model.ts";
import type { Process } from "./process.ts";

/** Bytes of one read: a batch or two. */
const BYTES = 700;
const RETRY_MS = 40;

/**
 * A consumer of one log, over all processes that have it: reads on from where it is, and waits at the end.
 *
 * Invariant: `#position` only grows; what it was shown is all that there is below it, each batch once.
 */
export class Follower {
  readonly #log: LogModel;
  readonly #index: number;
  #position = 0;
  #process: Process | undefined;
  #seen = 0;
  /** What it found wrong. */
  #failure: unknown;

  constructor(log: LogModel, index: number) {
    this.#log = log;
    this.#index = index;
  }

  get position(): number {
    return this.#position;
  }

  /** Batches shown so far. */
  get seen(): number {
    return this.#seen;
  }

  /** Goes on with the log as this process has it. */
  follow(process: Process): void {
    this.check();
    const { highWatermark } = process.log(this.#index);
    assert.ok(
      this.#position <= highWatermark,
      `${this.#log.name}: read up to ${this.#position}, and the watermark is ${highWatermark}`,
    );
    this.#process = process;
    this.#run(process).catch((error: unknown) => {
      this.#failure ??= error;
    });
  }

  /** @throws what it found wrong. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure as Error;
  }

  async #run(process: Process): Promise<void> {
    const log = process.log(this.#index);
    let advanced: () => void = () => undefined;
    const unsubscribe = log.onAdvance(() => advanced());
    try {
      while (this.#process === process && !process.life.isOver) {
        const more = new Promise<void>((resolve) => {
          advanced = resolve;
        });
        if (this.#position < log.highWatermark) await this.#readOn(process);
        else await more;
        if (process.failure !== undefined && this.#position >= log.highWatermark) return;
      }
    } catch (error) {
      if (!isKarstError(error, "closed", "fenced")) throw error;
    } finally {
      unsubscribe();
    }
  }

  async #readOn(process: Process): Promise<void> {
    const log = process.log(this.#index);
    const from = this.#position;
    try {
      const read = await process.life.lived(log.read({ from, bytesMax: BYTES }));
      // Somebody else follows by now.
      if (this.#process === process) {
        this.#log.checkRead(from, read, log.highWatermark);
        this.#position = read.nextOffset;
        this.#seen += read.batches.length;
      }
      read.release();
    } catch (error) {
      if (isKarstError(error, "out_of_range") && log.logStartOffset > from) {
        this.#position = log.logStartOffset;
      } else if (
        isKarstError(error, "unavailable") ||
        // It has been trimmed, and whoever did it has not heard of it.
        (isKarstError(error, "out_of_range") && this.#log.mayStartAbove(from))
      ) {
        await sleep(process.engine.runtime.clock, RETRY_MS);
      } else throw error;
    }
  }
}
