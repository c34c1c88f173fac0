/** Conditions over a state that events change: each event looks at all of them. */
export class Happenings {
  readonly #waiting = new Set<() => void>();

  /** To be called after every change. */
  happened(): void {
    for (const look of this.#waiting) look();
  }

  /**
   * Resolves when the condition holds, at once or after some change.
   *
   * @throws Error that names `what` after so long; whatever the condition throws.
   */
  until(condition: () => boolean, what: () => string, timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(late);
        this.#waiting.delete(look);
        settle();
      };
      const look = (): void => {
        try {
          if (condition()) end(resolve);
        } catch (error) {
          end(() => reject(error));
        }
      };
      const late = setTimeout(() => {
        end(() => reject(new Error(`not within ${timeoutMs / 1_000} s: ${what()}`)));
      }, timeoutMs);
      this.#waiting.add(look);
      look();
    });
  }
}
