import { randomInteger } from "@karst/runtime";
import { SeededRandom } from "@karst/runtime/testing";
import type {
  AppendOperation,
  LogOperation,
  ReadOutcome,
  SeenBatch,
} from "../../src/checkers/history.ts";

export interface SimulationOptions {
  readonly seed: number | string;
  readonly processes: number;
  readonly operations: number;
  /** Records of a batch, at most. */
  readonly countMax?: number;
  /** Of 100 appends and trims. */
  readonly unknownPercent?: number;
  readonly trims?: boolean;
  readonly conditions?: boolean;
  /** Ends with a read of everything, when nothing can happen any more. */
  readonly finalRead?: boolean;
}

interface Call {
  readonly invokedAt: number;
  /** Takes effect, and says what its caller will hear. */
  readonly effect: () => (returnedAt: number) => LogOperation | undefined;
  answer: ((returnedAt: number) => LogOperation | undefined) | undefined;
}

/** Concurrent clients of a log that is right, and what they saw: each call takes effect at one moment between its ends. */
export class SimulatedLog {
  readonly operations: LogOperation[] = [];
  readonly batches: SeenBatch[] = [];
  tail = 0;
  start = 0;
  now = 0;
  epoch = 1;
  #minted = 0;
  readonly #random: SeededRandom;
  readonly #options: SimulationOptions;
  /** Calls whose clients heard nothing, and that may still happen. */
  readonly #lost: Call[] = [];

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
  }

  run(): this {
    const { processes, operations, finalRead } = this.#options;
    const calls: (Call | undefined)[] = Array.from({ length: processes }, () => undefined);
    let begun = 0;
    while (begun < operations || calls.some((call) => call !== undefined)) {
      this.now += 1;
      if (this.#lost.length > 0 && this.#chance(10)) this.#lost.shift()?.effect();
      if (this.#chance(1)) this.epoch += 1;
      const process = this.#integer(0, processes - 1);
      const call = calls[process];
      if (call === undefined) {
        if (begun >= operations) continue;
        calls[process] = this.#begin(process);
        begun += 1;
      } else if (call.answer === undefined) {
        call.answer = call.effect();
      } else {
        const operation = call.answer(this.now);
        if (operation !== undefined) this.operations.push(operation);
        calls[process] = undefined;
      }
    }
    if (finalRead === true) this.readAll();
    return this;
  }

  /** One more operation, after all others. */
  readAll(): void {
    this.operations.push({
      kind: "read",
      process: "last",
      invokedAt: (this.now += 1),
      returnedAt: (this.now += 1),
      from: this.start,
      outcome: { tag: "ok", batches: this.from(this.start), tail: this.tail, start: this.start },
    });
  }

  from(offset: number): SeenBatch[] {
    let i = 0;
    // Batches of the simulation are few, or read near their end.
    for (i = this.batches.length; i > 0; i -= 1)
      if ((this.batches[i - 1] as SeenBatch).endOffset <= offset) break;
    return this.batches.slice(i);
  }

  #begin(process: number): Call {
    const { trims, conditions } = this.#options;
    const invokedAt = this.now;
    const kind = this.#integer(0, 99);
    if (kind < 45) return this.#append(process, invokedAt, conditions === true && this.#chance(30));
    if (kind < 80) return this.#read(process, invokedAt);
    if (kind < 90 || trims !== true) return this.#tail(process, invokedAt);
    return this.#trim(process, invokedAt);
  }

  #append(process: number, invokedAt: number, conditional: boolean): Call {
    this.#minted += 1;
    const content = this.#minted;
    const count = this.#integer(1, this.#options.countMax ?? 3);
    const ifOffset = conditional ? Math.max(0, this.tail + this.#integer(-1, 1)) : undefined;
    const begun = { kind: "append", process, invokedAt, content, count, ifOffset } as const;
    const finish =
      (outcome: AppendOperation["outcome"], epoch: number) =>
      (returnedAt: number): LogOperation => ({ ...begun, returnedAt, epoch, outcome });
    const effect = (): ((returnedAt: number) => LogOperation) => {
      const { tail, epoch } = this;
      if (ifOffset !== undefined && ifOffset !== tail)
        return finish({ tag: "conflict", tail: this.#chance(50) ? tail : undefined }, epoch);
      if (this.#chance(5)) return finish({ tag: "failed" }, epoch);
      this.tail += count;
      this.batches.push({ baseOffset: tail, endOffset: this.tail, content });
      return finish({ tag: "ok", baseOffset: tail, endOffset: this.tail }, epoch);
    };
    const lost = { ...begun, returnedAt: Infinity, outcome: { tag: "unknown" } } as const;
    return { invokedAt, effect, answer: this.#mayBeLost(lost, effect) };
  }

  #read(process: number, invokedAt: number): Call {
    const from = Math.max(0, this.tail + this.#integer(-8, 1));
    const effect = (): ((returnedAt: number) => LogOperation) => {
      const outcome = this.#readAt(from);
      return (returnedAt) => ({ kind: "read", process, invokedAt, returnedAt, from, outcome });
    };
    return { invokedAt, effect, answer: undefined };
  }

  #readAt(from: number): ReadOutcome {
    const start = this.#chance(50) ? this.start : undefined;
    const tail = this.#chance(50) ? this.tail : undefined;
    if (from < this.start) return { tag: "trimmed", start };
    if (from > this.tail) return { tag: "beyond", tail };
    const batches = this.from(from).slice(0, this.#integer(1, 5));
    return { tag: "ok", batches, tail, start };
  }

  #tail(process: number, invokedAt: number): Call {
    const effect = (): ((returnedAt: number) => LogOperation) => {
      const { tail } = this;
      const start = this.#chance(50) ? this.start : undefined;
      return (returnedAt) => ({ kind: "tail", process, invokedAt, returnedAt, tail, start });
    };
    return { invokedAt, effect, answer: undefined };
  }

  #trim(process: number, invokedAt: number): Call {
    const before = this.#integer(this.start, this.tail);
    const begun = { kind: "trim", process, invokedAt, before } as const;
    const effect = (): ((returnedAt: number) => LogOperation) => {
      this.start = Math.max(this.start, before);
      return (returnedAt) => ({ ...begun, returnedAt, outcome: { tag: "ok" } });
    };
    const lost = { ...begun, returnedAt: Infinity, outcome: { tag: "unknown" } } as const;
    return { invokedAt, effect, answer: this.#mayBeLost(lost, effect) };
  }

  /** Its client hears nothing: it happens never, now, or later. */
  #mayBeLost(lost: LogOperation, effect: Call["effect"]): Call["answer"] {
    if (!this.#chance(this.#options.unknownPercent ?? 10)) return undefined;
    const when = this.#integer(0, 2);
    if (when === 1) effect();
    if (when === 2) this.#lost.push({ invokedAt: lost.invokedAt, effect, answer: undefined });
    return () => lost;
  }

  #chance(percent: number): boolean {
    return this.#integer(0, 99) < percent;
  }

  #integer(min: number, max: number): number {
    return randomInteger(this.#random, min, max);
  }
}
