import type {
  AppendOperation,
  AppendOutcome,
  LogOperation,
  ReadOutcome,
  TrimOperation,
} from "./history.ts";

export interface AppendCall {
  /** Acknowledged: durable. */
  ok(placed: { readonly baseOffset: number; readonly endOffset: number }): void;
  /** Refused by `ifOffset`. Only once everything that was compared with is durable. */
  conflict(tail?: number): void;
  /** It certainly did not happen. */
  failed(): void;
  /** The default, of a call that is never finished. */
  unknown(): void;
}

export interface ReadCall {
  /** A read that failed otherwise is not finished at all. */
  finish(outcome: ReadOutcome): void;
}

export interface TailCall {
  finish(seen: { readonly tail: number; readonly start?: number | undefined }): void;
}

export interface TrimCall {
  ok(): void;
  failed(): void;
  /** The default, of a call that is never finished. */
  unknown(): void;
}

/**
 * Records the history of one log from clients that live in one process, or in one simulated world.
 *
 * Calls of one process may overlap. Each call is finished once.
 */
export class LogRecorder {
  #now = 0;
  readonly #operations: LogOperation[] = [];
  /** Appends and trims without an outcome so far. */
  readonly #pending = new Set<LogOperation>();

  append(
    input: Omit<AppendOperation, "kind" | "invokedAt" | "returnedAt" | "outcome">,
  ): AppendCall {
    const begun: AppendOperation = {
      kind: "append",
      ...input,
      ...this.#begin(),
      outcome: { tag: "unknown" },
    };
    this.#pending.add(begun);
    const finish = (outcome: AppendOutcome): void =>
      this.#finish(begun, { ...begun, returnedAt: this.#tick(), outcome });
    return {
      ok: ({ baseOffset, endOffset }) => finish({ tag: "ok", baseOffset, endOffset }),
      conflict: (tail) => finish({ tag: "conflict", tail }),
      failed: () => finish({ tag: "failed" }),
      unknown: () => this.#finish(begun, begun),
    };
  }

  read(input: { readonly process: number | string; readonly from: number }): ReadCall {
    const begun = { kind: "read", ...input, ...this.#begin() } as const;
    return {
      finish: (outcome) => this.#operations.push({ ...begun, returnedAt: this.#tick(), outcome }),
    };
  }

  tail(input: { readonly process: number | string }): TailCall {
    const begun = { kind: "tail", ...input, ...this.#begin() } as const;
    return {
      finish: ({ tail, start }) =>
        this.#operations.push({ ...begun, returnedAt: this.#tick(), tail, start }),
    };
  }

  trim(input: { readonly process: number | string; readonly before: number }): TrimCall {
    const begun: TrimOperation = {
      kind: "trim",
      ...input,
      ...this.#begin(),
      outcome: { tag: "unknown" },
    };
    this.#pending.add(begun);
    const finish = (tag: "ok" | "failed"): void =>
      this.#finish(begun, { ...begun, returnedAt: this.#tick(), outcome: { tag } });
    return {
      ok: () => finish("ok"),
      failed: () => finish("failed"),
      unknown: () => this.#finish(begun, begun),
    };
  }

  /** Everything so far: what is not finished has an unknown outcome. */
  operations(): readonly LogOperation[] {
    return [...this.#operations, ...this.#pending];
  }

  #begin(): { readonly invokedAt: number; readonly returnedAt: number } {
    return { invokedAt: this.#tick(), returnedAt: Infinity };
  }

  #tick(): number {
    this.#now += 1;
    return this.#now;
  }

  #finish(begun: LogOperation, finished: LogOperation): void {
    if (!this.#pending.delete(begun)) throw new TypeError("an operation is finished once");
    this.#operations.push(finished);
  }
}
