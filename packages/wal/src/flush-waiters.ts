interface Waiter {
  readonly position: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Promises for positions that are not durable yet, in ascending order of position. */
export class FlushWaiters {
  #waiters: Waiter[] = [];

  wait(position: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ position, resolve, reject });
    });
  }

  settle(durable: number): void {
    let count = 0;
    while (count < this.#waiters.length && (this.#waiters[count] as Waiter).position <= durable)
      count += 1;
    if (count === 0) return;
    for (const waiter of this.#waiters.splice(0, count)) waiter.resolve();
  }

  rejectAll(error: Error): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(error);
  }
}
