/** From `startOffset` on, batches carry `epoch`, until the next entry's start. */
export interface LeaderEpoch {
  readonly epoch: number;
  readonly startOffset: number;
}

/**
 * Which leader epoch each offset was appended under.
 *
 * Invariant: at most `max` entries, ascending in epoch and in start offset.
 */
export class LeaderEpochs {
  #entries: LeaderEpoch[] = [];
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get entries(): readonly LeaderEpoch[] {
    return this.#entries;
  }

  reset(entries: readonly LeaderEpoch[]): void {
    this.#entries = entries.slice(-this.#max);
  }

  /** From `startOffset` on it is `epoch`. Older and equal epochs change nothing. */
  assign(epoch: number, startOffset: number): void {
    const last = this.#entries.at(-1);
    if (last !== undefined && last.epoch >= epoch) return;
    // An epoch under which nothing was appended leaves no trace.
    if (last?.startOffset === startOffset) this.#entries.pop();
    this.#entries.push({ epoch, startOffset });
    if (this.#entries.length > this.#max) this.#entries.shift();
  }

  /** -1 below the first entry. */
  at(offset: number): number {
    for (let i = this.#entries.length - 1; i >= 0; i -= 1) {
      const entry = this.#entries[i] as LeaderEpoch;
      if (entry.startOffset <= offset) return entry.epoch;
    }
    return -1;
  }
}
