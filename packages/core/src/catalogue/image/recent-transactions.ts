/** Ids of the last transactions, with the revision of each. */
export interface RecentSnapshot {
  /** Every transaction at this revision or later is among them; older ones may be missing. */
  readonly completeFrom: number;
  /** In the order in which they happened. */
  readonly transactions: readonly (readonly [id: string, revision: number])[];
}

/**
 * Answers "did this transaction happen?" for the last ones of the log, also after the log is trimmed.
 *
 * Invariant: a transaction of the history at a revision ≥ `completeFrom` is in the table.
 */
export class RecentTransactions {
  readonly #max: number;
  readonly #revisions: Map<string, number>;
  #completeFrom: number;

  constructor(max: number, start: RecentSnapshot = { completeFrom: 1, transactions: [] }) {
    this.#max = max;
    this.#revisions = new Map(start.transactions);
    this.#completeFrom = start.completeFrom;
    this.#trim();
  }

  /** Where the transaction happened; undefined says that it did not only for slots ≥ `completeFrom`. */
  revisionOf(id: string): number | undefined {
    return this.#revisions.get(id);
  }

  get completeFrom(): number {
    return this.#completeFrom;
  }

  /** Notes what happened at the next revision. */
  add(ids: Iterable<string>, revision: number): void {
    for (const id of ids) {
      this.#revisions.delete(id);
      this.#revisions.set(id, revision);
    }
    this.#trim();
  }

  capture(): RecentSnapshot {
    return { completeFrom: this.#completeFrom, transactions: [...this.#revisions] };
  }

  #trim(): void {
    for (const [id, revision] of this.#revisions) {
      if (this.#revisions.size <= this.#max) return;
      this.#revisions.delete(id);
      this.#completeFrom = Math.max(this.#completeFrom, revision + 1);
    }
  }
}
