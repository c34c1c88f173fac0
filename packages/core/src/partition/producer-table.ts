/** Batches remembered per producer: as many as a client may have in flight. Source: KIP-98, ProducerStateEntry. */
export const PRODUCER_BATCHES_MAX = 5;

const SEQUENCES = 0x8000_0000;

/** One batch that a producer appended. */
export interface ProducedBatch {
  readonly baseSequence: number;
  /** Inclusive; below `baseSequence` where the sequence wrapped from 2³¹ − 1 to 0. */
  readonly lastSequence: number;
  readonly baseOffset: number;
  /** -1 under CreateTime. */
  readonly logAppendTimeMs: number;
  /** Settles as the append did. Resolved for what was read back. */
  readonly durable: Promise<void>;
}

/** Who sent a batch, and which. */
export interface ProducerBatchId {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly lastSequence: number;
}

export type ProducerVerdict =
  | { readonly tag: "accept" }
  /** Appended before; nothing is written. */
  | { readonly tag: "duplicate"; readonly original: ProducedBatch }
  | { readonly tag: "fenced"; readonly epoch: number }
  /** `expected` undefined: no batch could be accepted here but one that begins at 0 with a newer epoch. */
  | { readonly tag: "out-of-order"; readonly expected: number };

export interface ProducerState {
  readonly epoch: number;
  /** Wall clock of the last append. */
  readonly lastAppendMs: number;
  /** 1..5, oldest first. */
  readonly batches: readonly ProducedBatch[];
}

const ACCEPT: ProducerVerdict = { tag: "accept" };

/** The sequence of the record `count` after `sequence`. */
export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % SEQUENCES;
}

/** Records from `base` to `last`, both included. */
export function sequenceCount(base: number, last: number): number {
  return ((last - base + SEQUENCES) % SEQUENCES) + 1;
}

/**
 * What one partition knows of its idempotent producers. No effects: time is passed in.
 *
 * Invariants: at most `producersMax` producers, in order of their last append; each has 1..5 batches of its present epoch with
 * consecutive sequences.
 */
export class ProducerTable {
  readonly #producers = new Map<number, ProducerState>();
  readonly #producersMax: number;
  readonly #expirationMs: number;

  constructor(options: { readonly producersMax: number; readonly expirationMs: number }) {
    this.#producersMax = options.producersMax;
    this.#expirationMs = options.expirationMs;
  }

  get size(): number {
    return this.#producers.size;
  }

  get(producerId: number): ProducerState | undefined {
    return this.#producers.get(producerId);
  }

  /** Every producer, the one longest silent first. */
  entries(): Iterable<[number, ProducerState]> {
    return this.#producers.entries();
  }

  /** What to do with a batch. Changes nothing. Source: ProducerAppendInfo, ProducerStateEntry of Kafka 4.2. */
  decide(batch: ProducerBatchId): ProducerVerdict {
    const known = this.#producers.get(batch.producerId);
    // Without any state every sequence is accepted: the producer may have been forgotten.
    if (known === undefined) return ACCEPT;
    if (batch.producerEpoch < known.epoch) return { tag: "fenced", epoch: known.epoch };
    if (batch.producerEpoch > known.epoch)
      return batch.baseSequence === 0 ? ACCEPT : { tag: "out-of-order", expected: 0 };
    for (const original of known.batches) {
      if (
        original.baseSequence === batch.baseSequence &&
        original.lastSequence === batch.lastSequence
      ) {
        return { tag: "duplicate", original };
      }
    }
    const last = known.batches.at(-1) as ProducedBatch;
    const expected = sequenceAfter(last.lastSequence, 1);
    return batch.baseSequence === expected ? ACCEPT : { tag: "out-of-order", expected };
  }

  /** Takes over a batch that was appended. */
  add(producerId: number, producerEpoch: number, batch: ProducedBatch, nowMs: number): void {
    const known = this.#producers.get(producerId);
    const batches =
      known !== undefined && known.epoch === producerEpoch
        ? [...known.batches.slice(1 - PRODUCER_BATCHES_MAX), batch]
        : [batch];
    this.set(producerId, { epoch: producerEpoch, lastAppendMs: nowMs, batches });
  }

  /** Puts a producer's whole state, as the most recent one. */
  set(producerId: number, state: ProducerState): void {
    // Out and in again: iteration order is the order of the last append.
    if (!this.#producers.delete(producerId) && this.#producers.size >= this.#producersMax)
      this.#forgetOldest();
    this.#producers.set(producerId, state);
  }

  /** Forgets the producers that have been silent for too long. */
  expire(nowMs: number): void {
    for (const [producerId, state] of this.#producers) {
      if (state.lastAppendMs > nowMs - this.#expirationMs) return;
      this.#producers.delete(producerId);
    }
  }

  clear(): void {
    this.#producers.clear();
  }

  #forgetOldest(): void {
    for (const producerId of this.#producers.keys()) {
      this.#producers.delete(producerId);
      return;
    }
  }
}
