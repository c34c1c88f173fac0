import { coreError } from "./errors.ts";

export type EngineState =
  | { readonly tag: "open" }
  /** `close` was called: nothing new is taken; what was taken goes its way. */
  | { readonly tag: "closing" }
  | { readonly tag: "failed"; readonly error: Error }
  | { readonly tag: "closed" };

/**
 * The state of one engine.
 *
 * open → closing → closed; open | closing → failed → closed. `signal` aborts on leaving open and closing, and ends every wait but
 * those of reads, which `ended` ends.
 */
export class Lifecycle {
  /** Resolves with the first failure; never rejects. */
  readonly failed: Promise<Error>;
  readonly #abort = new AbortController();
  readonly #ended = new AbortController();
  readonly #listeners: ((error: Error) => void)[] = [];
  #settleFailed: (error: Error) => void = () => undefined;
  #state: EngineState = { tag: "open" };

  constructor() {
    this.failed = new Promise((resolve) => {
      this.#settleFailed = resolve;
    });
  }

  /** Calls back on failure, synchronously and in the order of the calls, before anything else learns of it. */
  onFailed(listener: (error: Error) => void): void {
    this.#listeners.push(listener);
  }

  get state(): EngineState {
    return this.#state;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Whether what was acknowledged by others' reports may still be acknowledged by us. */
  get isRunning(): boolean {
    return this.#state.tag === "open" || this.#state.tag === "closing";
  }

  /** @throws KarstError `ENGINE_CLOSED`, `ENGINE_FAILED` (`closed`), `ENGINE_FENCED` (`fenced`) unless open. */
  checkOpen(): void {
    if (this.#state.tag !== "open") throw this.refusal();
  }

  /** @throws KarstError `ENGINE_CLOSED` (`closed`) once nothing can be read any more. */
  checkReadable(): void {
    if (this.#state.tag === "closed") throw this.refusal();
  }

  refusal(): Error {
    return this.#state.tag === "failed"
      ? this.#state.error
      : coreError("ENGINE_CLOSED", "the engine is closed");
  }

  fail(error: Error): void {
    if (!this.isRunning) return;
    this.#state = { tag: "failed", error };
    for (const listener of this.#listeners) listener(error);
    this.#abort.abort(error);
    this.#settleFailed(error);
  }

  /** @returns false where it is closing, closed or failed already. */
  beginClose(): boolean {
    if (this.#state.tag !== "open") return false;
    this.#state = { tag: "closing" };
    return true;
  }

  end(): void {
    if (this.#state.tag === "closed") return;
    this.#state = { tag: "closed" };
    const reason = coreError("ENGINE_CLOSED", "the engine is closed");
    this.#abort.abort(reason);
    this.#ended.abort(reason);
  }
}
