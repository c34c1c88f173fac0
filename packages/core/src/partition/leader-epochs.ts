/** From `startOffset` on, batches carry `epoch`, until the next entry's start. */
export interface LeaderEpoch {
  readonly epoch: number;
  readonly startOffset: number;
}

/** [startOffset, endOffset) of a log. */
export interface LogBounds {
  readonly startOffset: number;
  readonly endOffset: number;
}

/** Says that there is none. Numbers below it are those of epochs before the first, as for Kafka. */
const NO_EPOCH = -1;

/** The batches of `epoch` and of older ones end at `endOffset`, exclusive. */
export interface EpochEnd {
  readonly epoch: number;
  readonly endOffset: number;
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

  /**
   * Where the batches of `epoch` and of all older ones end, as far as they are remembered, and the greatest epoch among them: what a
   * Kafka broker answers to OffsetForLeaderEpoch. Of epochs that lie wholly below the log's start it knows as little as it does.
   *
   * @returns undefined: nothing is known of this epoch, or it is newer than all.
   */
  endOf(epoch: number, log: LogBounds): EpochEnd | undefined {
    const latest = this.#entries.at(-1);
    if (epoch === NO_EPOCH || latest === undefined || epoch > latest.epoch) return undefined;
    if (epoch === latest.epoch) return { epoch, endOffset: log.endOffset };
    const next = this.#entries.findIndex((entry) => entry.epoch > epoch);
    const endOffset = Math.max((this.#entries[next] as LeaderEpoch).startOffset, log.startOffset);
    const floor = this.#entries[next - 1];
    // Trimmed away: for all that is known the epoch that was asked for ended where the log begins now.
    const known = floor !== undefined && endOffset > log.startOffset;
    return { epoch: known ? floor.epoch : epoch, endOffset };
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
