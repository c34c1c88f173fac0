import { type Random, randomInteger } from "../../random.ts";
import type { SystemErrorCode } from "./system-error.ts";

/** Every operation of `Files` and `BlockingFiles`. */
export type DiskOperation =
  | "open"
  | "read"
  | "write"
  | "datasync"
  | "size"
  | "close"
  | "list"
  | "stat"
  | "makeDirectory"
  | "rename"
  | "link"
  | "remove"
  | "removeDirectory"
  | "syncDirectory";

/** One operation, as observers and faults see it. */
export interface DiskCall {
  readonly operation: DiskOperation;
  /** Absolute and normalised. */
  readonly path: string;
  /** Second path of `rename` and `link`. */
  readonly to?: string;
  /** Of `open`. */
  readonly mode?: "read" | "create" | "write";
  /** Of `read` and `write`, bytes. */
  readonly position?: number;
  readonly length?: number;
}

/**
 * What goes wrong. A system error's code: the operation fails with it; a failed `write` may have taken a part, a failed `datasync` leaves its
 * pages dirty, a failed `close` has closed. `lost-sync` (datasync): fails with EIO, and the pages are marked clean, as Linux does: readable,
 * lost at a crash, and the next sync succeeds. `short-write` (blocking `write`): takes only a part.
 */
export type DiskEffect = SystemErrorCode | "short-write" | "lost-sync";

export interface DiskFault {
  readonly on: DiskOperation | readonly DiskOperation[];
  /** Paths that are hit: equal to the string, matching the expression, or accepted by the function. Default: all. */
  readonly path?: string | RegExp | ((path: string, call: DiskCall) => boolean);
  readonly effect: DiskEffect;
  /** Matching operations that pass unharmed first. Default 0. */
  readonly after?: number;
  /** How often it strikes. Default 1; `Infinity`: until cancelled. */
  readonly times?: number;
  /** Chance of striking a matching operation. Default 1. */
  readonly probability?: number;
}

export interface ActiveFault {
  /** How often it has struck. */
  readonly hits: number;
  cancel(): void;
}

/** The faults in force, oldest first: the first that strikes decides. */
export class FaultList {
  readonly #random: Random;
  readonly #rules: FaultRule[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  add(fault: DiskFault): ActiveFault {
    const rule = new FaultRule(fault, () => this.#remove(rule));
    this.#rules.push(rule);
    return rule;
  }

  clear(): void {
    this.#rules.length = 0;
  }

  /** What strikes this call, if anything; counted as a hit. */
  strike(call: DiskCall): DiskEffect | undefined {
    for (const rule of this.#rules) {
      if (!rule.strikes(call, this.#random)) continue;
      if (rule.exhausted) this.#remove(rule);
      return rule.effect;
    }
    return undefined;
  }

  #remove(rule: FaultRule): void {
    const index = this.#rules.indexOf(rule);
    if (index >= 0) this.#rules.splice(index, 1);
  }
}

class FaultRule implements ActiveFault {
  hits = 0;
  readonly cancel: () => void;
  readonly #fault: DiskFault;
  #passed = 0;

  constructor(fault: DiskFault, cancel: () => void) {
    this.#fault = fault;
    this.cancel = cancel;
  }

  get effect(): DiskEffect {
    return this.#fault.effect;
  }

  get exhausted(): boolean {
    return this.hits >= (this.#fault.times ?? 1);
  }

  strikes(call: DiskCall, random: Random): boolean {
    if (!this.#matches(call)) return false;
    if (this.#passed < (this.#fault.after ?? 0)) {
      this.#passed += 1;
      return false;
    }
    const probability = this.#fault.probability ?? 1;
    if (probability < 1 && randomInteger(random, 0, 999_999) >= probability * 1_000_000)
      return false;
    this.hits += 1;
    return true;
  }

  #matches(call: DiskCall): boolean {
    const { on, path } = this.#fault;
    if (typeof on === "string" ? on !== call.operation : !on.includes(call.operation)) return false;
    if (path === undefined) return true;
    if (typeof path === "string") return path === call.path;
    return path instanceof RegExp ? path.test(call.path) : path(call.path, call);
  }
}
