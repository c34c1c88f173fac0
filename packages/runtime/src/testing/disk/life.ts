import type { Clock } from "../../clock.ts";
import { sleep } from "../../clock.ts";
import { runtimeError } from "../../errors.ts";
import type { DiskCall, DiskEffect } from "./faults.ts";
import { diskError, type SystemErrorCode } from "./system-error.ts";
import type { Volume } from "./volume.ts";

/** What a life needs of its disk. */
export interface DiskHooks {
  readonly volume: Volume;
  /** Tells the observers; `sequence` is the same before and after. */
  emit(phase: "before" | "after", call: DiskCall, sequence: number, error?: Error): void;
  /** Counts the call; returns its sequence number. */
  count(call: DiskCall): number;
  strike(call: DiskCall): DiskEffect | undefined;
  /** How long the call takes, on the clock; none: no longer than a turn of the microtask queue. */
  delay(call: DiskCall): { readonly clock: Clock; readonly ms: number } | undefined;
}

/** A process's use of the disk, from its start to a crash or kill: then everything that it still does fails. */
export class DiskLife {
  readonly hooks: DiskHooks;
  #alive = true;

  constructor(hooks: DiskHooks) {
    this.hooks = hooks;
  }

  get volume(): Volume {
    return this.hooks.volume;
  }

  end(): void {
    this.#alive = false;
  }

  /** Does a call at once. */
  now<T>(call: DiskCall, body: (effect: DiskEffect | undefined) => T): T {
    const [sequence, effect] = this.#begin(call);
    return this.#finish(call, sequence, () => body(effect));
  }

  /** Does a call after its delay. `prepare` runs when the call begins, the body when it ends. */
  async later<P, T>(
    call: DiskCall,
    prepare: () => P,
    body: (effect: DiskEffect | undefined, prepared: P) => T,
  ): Promise<T> {
    const [sequence, effect] = this.#begin(call);
    const prepared = prepare();
    const delay = this.hooks.delay(call);
    if (delay === undefined) await Promise.resolve();
    else await sleep(delay.clock, delay.ms);
    this.#check(call);
    return this.#finish(call, sequence, () => body(effect, prepared));
  }

  #begin(call: DiskCall): [number, DiskEffect | undefined] {
    this.#check(call);
    const sequence = this.hooks.count(call);
    this.hooks.emit("before", call, sequence);
    this.#check(call);
    return [sequence, this.hooks.strike(call)];
  }

  #finish<T>(call: DiskCall, sequence: number, body: () => T): T {
    let result: T;
    try {
      result = body();
    } catch (error) {
      this.hooks.emit("after", call, sequence, error as Error);
      throw error;
    }
    this.hooks.emit("after", call, sequence);
    this.#check(call);
    return result;
  }

  #check(call: DiskCall): void {
    if (this.#alive) return;
    throw runtimeError(
      "IO_ERROR",
      `cannot ${call.operation} ${call.path}: its process is gone, the disk has crashed or been taken over`,
    );
  }
}

/** Throws the error that has struck, if one has. */
export function failBy(effect: DiskEffect | undefined, call: DiskCall): void {
  if (effect !== undefined && effect !== "short-write") throw strikeError(effect, call);
}

export function strikeError(effect: DiskEffect, call: DiskCall): Error {
  const code: SystemErrorCode = effect === "short-write" || effect === "lost-sync" ? "EIO" : effect;
  return diskError(code, call.operation, call.path);
}
