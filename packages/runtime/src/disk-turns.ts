/**
 * One disk with two kinds of writers: those who keep somebody waiting, and those who can wait.
 *
 * Between two urgent writes there is a turn for the others, however close they follow each other: nobody starves.
 */
export class DiskTurns {
  #urgent = 0;
  #waiting: (() => void)[] = [];

  /** Does what keeps somebody waiting, at once. */
  async urgent<T>(write: () => Promise<T>): Promise<T> {
    this.#urgent += 1;
    try {
      return await write();
    } finally {
      this.#urgent -= 1;
      if (this.#urgent === 0) for (const go of this.#waiting.splice(0)) go();
    }
  }

  /** Resolves as soon as nothing urgent is under way. */
  turn(): Promise<void> {
    if (this.#urgent === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}
