import type { CatalogueChange, Revision } from "../catalogue.ts";

/**
 * The last changes of an image, and who waits for the next.
 *
 * Invariant: `#changes` are those of consecutive revisions, the last of which is `#revision`.
 */
export class ChangeHistory {
  readonly #max: number;
  #revision: Revision;
  #changes: CatalogueChange[] = [];
  #waiting: (() => void)[] = [];
  #ended = false;

  constructor(max: number, revision: Revision) {
    this.#max = max;
    this.#revision = revision;
  }

  add(change: CatalogueChange & { readonly tag: "change" }): void {
    this.#changes.push(change);
    // Dropped by the half, so that each is moved once at most.
    if (this.#changes.length > this.#max * 2) this.#changes = this.#changes.slice(-this.#max);
    this.#advance(change.revision);
  }

  /** The image jumped to `revision`: what happened between is not known. */
  jump(revision: Revision): void {
    this.#changes = [];
    this.#advance(revision);
  }

  /** Ends every watch. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *watch(
    from: Revision,
    signal: AbortSignal,
  ): AsyncGenerator<CatalogueChange, void, undefined> {
    let at = from;
    while (!signal.aborted && !this.#ended) {
      const change = this.#after(at);
      if (change === undefined) {
        await this.#next(signal);
      } else {
        at = change.revision;
        yield change;
      }
    }
  }

  #after(revision: Revision): CatalogueChange | undefined {
    if (revision >= this.#revision) return undefined;
    const oldest = this.#revision - this.#changes.length + 1;
    return this.#changes[revision + 1 - oldest] ?? { tag: "reset", revision: this.#revision };
  }

  #advance(revision: Revision): void {
    this.#revision = revision;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  #next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      const onAbort = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== wake);
        resolve();
      };
      this.#waiting.push(wake);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }
}
