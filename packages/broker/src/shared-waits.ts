/** Waits for a promise. Neither call may throw. */
export interface Waiter {
  resolved(): void;
  rejected(error: unknown): void;
}

/**
 * Calls back when promises settle, listening once to each for as long as those who wait for it come in a row: the appends of a turn
 * share a promise, and a reaction of its own for each request costs more than its append.
 *
 * Invariants: every waiter is called once, waiters of one promise in the order in which they came. `#promise` has not been heard to
 * have settled, and `#waiting` is who will be told when it has.
 */
export class SharedWaits {
  #promise: Promise<void> | undefined;
  #waiting: Waiter[] = [];

  wait(promise: Promise<void>, waiter: Waiter): void {
    if (promise === this.#promise) this.#waiting.push(waiter);
    else this.#listen(promise, [waiter]);
  }

  #listen(promise: Promise<void>, waiting: Waiter[]): void {
    this.#promise = promise;
    this.#waiting = waiting;
    const forget = (): void => {
      if (this.#promise === promise) this.#promise = undefined;
    };
    promise.then(
      () => {
        forget();
        for (const waiter of waiting) waiter.resolved();
      },
      (error: unknown) => {
        forget();
        for (const waiter of waiting) waiter.rejected(error);
      },
    );
  }
}
