import { objectStoreError } from "../../errors.ts";

/** Lets a number of calls run at once, and a number wait, first come first served. */
export class Gate {
  readonly #runningMax: number;
  readonly #waitingMax: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limits: { readonly runningMax: number; readonly waitingMax: number }) {
    this.#runningMax = limits.runningMax;
    this.#waitingMax = limits.waitingMax;
  }

  /** @throws KarstError `UNAVAILABLE` (`unavailable`) when too many wait; the call was not begun. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#running < this.#runningMax) this.#running += 1;
    else await this.#wait();
    try {
      return await call();
    } finally {
      // A place is handed on, never freed while somebody waits.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  #wait(): Promise<void> {
    if (this.#waiting.length >= this.#waitingMax) {
      throw objectStoreError("UNAVAILABLE", `${this.#waitingMax} calls wait for the disk already`);
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}
