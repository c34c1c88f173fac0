import { runtimeError } from "./errors.ts";

/**
 * The life of an asynchronous file handle: nothing starts after `close`, and closing waits for what is in flight, because
 * a descriptor closed under an operation may by then belong to another file.
 */
export class HandleGate {
  readonly #path: string;
  #inFlight = 0;
  #closing: Promise<void> | undefined;
  #idle: (() => void) | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws KarstError `IO_ERROR` (`unavailable`) after `close`. */
  async run<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined)
      throw runtimeError("IO_ERROR", `${this.#path} has been closed`);
    this.#inFlight += 1;
    try {
      return await operation();
    } finally {
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#idle?.();
    }
  }

  /** Calls `release` once, when nothing is in flight; a second close gets the outcome of the first. */
  close(release: () => Promise<void>): Promise<void> {
    this.#closing ??= this.#drained().then(release);
    return this.#closing;
  }

  #drained(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }
}
