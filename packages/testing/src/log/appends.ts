import assert from "node:assert/strict";
import { hasCode, isKarstError } from "@karst/runtime";
import type { World } from "../world/world.ts";
import type { LogModel } from "./log-model.ts";
import type { Draft, OpenLog, Taken } from "./open-log.ts";
import type { Process } from "./process.ts";
import type { Sent } from "./producer-model.ts";

/** Appends by processes, and tells the models what became of each. */
export class Appends {
  readonly #world: World;
  readonly #logs: readonly LogModel[];
  readonly #watch: (promise: Promise<unknown>) => void;

  /** @param options.watch of a promise that rejects with what is found wrong. */
  constructor(options: {
    readonly world: World;
    readonly logs: readonly LogModel[];
    readonly watch: (promise: Promise<unknown>) => void;
  }) {
    this.#world = options.world;
    this.#logs = options.logs;
    this.#watch = options.watch;
  }

  /** undefined: refused. @throws what no append may be refused with. */
  append(process: Process, index: number, draft: Draft): Sent | undefined {
    const model = this.#logs[index] as LogModel;
    const { id, count, ifOffset } = draft;
    model.history?.begin(process.number, id, count, ifOffset);
    try {
      const taken = process.log(index).append(draft);
      if (taken.duplicate) {
        this.#world.sometimes.add("duplicate-answered");
        this.#awaitDuplicate(process.log(index), model, id, taken);
        return { taken, attempt: undefined };
      }
      const attempt = model.taken(draft, taken, process.isFenced);
      this.#await(process, process.add(attempt), taken.durable);
      return { taken, attempt };
    } catch (error) {
      if (hasCode(error, "OFFSET_CONDITION_FAILED")) {
        this.#conflicted(process, process.log(index), model, id);
        return undefined;
      }
      this.#refused(process, error);
      if (!process.isFenced) model.raised(process.log(index).logEndOffset);
      return undefined;
    }
  }

  #await(process: Process, order: number, durable: Promise<void>): void {
    const attempt = process.attempts[order - 1];
    assert.ok(attempt !== undefined);
    process.pending += 1;
    const settled = durable.then(
      () => {
        process.pending -= 1;
        this.#world.tally.acknowledged += 1;
        this.#world.tally.checked += 1;
        this.#world.note(`acknowledged ${attempt.id} ${attempt.baseOffset}`);
        attempt.log.history?.acknowledged(attempt.id, attempt);
        // And with it all that was appended before it.
        process.settleUpTo(order);
      },
      (error: unknown) => {
        process.pending -= 1;
        this.#world.tally.checked += 1;
        this.#world.note(`unknown ${attempt.id} ${attempt.baseOffset}`);
        assert.ok(isKarstError(error, "indeterminate"), String(error));
        this.#world.sometimes.add(process.isFenced ? "zombie-fenced" : "append-unknown");
      },
    );
    process.settled = settled;
    this.#watch(settled);
  }

  /** The answer to a retry is as good as the one to the first try. */
  #awaitDuplicate(log: OpenLog, model: LogModel, id: string, taken: Taken): void {
    const answered = taken.durable.then(
      () => {
        this.#world.invariants.check(
          "W1",
          log.highWatermark >= taken.endOffset,
          () => `${id} was acknowledged again, at ${taken.baseOffset}, and is not durable`,
        );
        model.history?.acknowledged(id, taken);
      },
      () => undefined,
    );
    this.#watch(answered);
  }

  /** Known for certain once what it was compared with is durable, if that comes to pass. */
  #conflicted(process: Process, log: OpenLog, model: LogModel, id: string): void {
    const { logEndOffset } = log;
    this.#world.sometimes.add("condition-failed");
    this.#world.note(`conflict ${id} ${logEndOffset}`);
    process.settled.then(
      () => {
        if (log.highWatermark >= logEndOffset) model.history?.conflict(id, logEndOffset);
      },
      () => undefined,
    );
  }

  #refused(process: Process, error: unknown): void {
    const { sometimes } = this.#world;
    if (!isKarstError(error, "unavailable", "closed", "fenced")) throw error;
    this.#world.tally.checked += 1;
    this.#world.note(`refused ${error.code}`);
    sometimes.add("append-refused");
    if (error.code === "UPLOAD_BACKLOG_FULL") sometimes.add("backlog-refused");
    if (error.code === "WAL_FULL") sometimes.add("disk-full-refused");
    if (process.isFenced) sometimes.add("zombie-refused");
    if (error.kind !== "unavailable")
      assert.ok(process.failure !== undefined || process.isFenced, String(error));
  }
}
