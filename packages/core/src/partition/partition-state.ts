import {
  CONTROL_BIT,
  LOG_APPEND_TIME_BIT,
  readAttributes,
  readBaseSequence,
  readLastOffsetDelta,
  readLeaderEpoch,
  readMaxTimestamp,
  readProducerEpoch,
  readProducerId,
  verifyBatch,
} from "@karst/records";
import { type Clock, viewOf } from "@karst/runtime";
import { coreError } from "../errors.ts";
import { LEADER_EPOCHS_MAX, type Limits } from "../limits.ts";
import type { StreamBatch, StreamState } from "../stream/stream.ts";
import { LeaderEpochs } from "./leader-epochs.ts";
import {
  type ProducedBatch,
  type ProducerBatchId,
  ProducerTable,
  sequenceAfter,
} from "./producer-table.ts";
import { type AbortedRange, decodeStateBlock, encodeStateBlock } from "./state-block.ts";

/** Epoch of a stream's first owner: streams are created unowned, with epoch 0. */
const FIRST_LEADER_EPOCH = 1;

const DURABLE: Promise<void> = Promise.resolve();

/**
 * What a partition derives from its batches: idempotent producers, leader epochs, aborted transactions.
 *
 * Invariant: between two turns the state is that after every batch below the stream's end. Within a turn it may be one batch behind,
 * never ahead: the stream captures state blocks between turns only.
 */
export class PartitionState implements StreamState {
  readonly producers: ProducerTable;
  readonly epochs: LeaderEpochs = new LeaderEpochs(LEADER_EPOCHS_MAX);
  readonly #clock: Clock;
  #aborted: readonly AbortedRange[] = [];
  /** End of the last batch; offsets that were left out may follow. */
  #endOffset = 0;

  constructor(options: { readonly limits: Limits; readonly clock: Clock }) {
    this.#clock = options.clock;
    this.producers = new ProducerTable({
      producersMax: options.limits.producersPerPartitionMax,
      expirationMs: options.limits.producerExpirationMs,
    });
  }

  restore(state: Uint8Array | undefined, offset: number): void {
    this.#endOffset = offset;
    if (state === undefined) {
      // Nothing is written only while everything was appended under the first epoch.
      if (offset > 0) this.epochs.assign(FIRST_LEADER_EPOCH, 0);
      return;
    }
    const snapshot = decodeStateBlock(state);
    // It would take batches for duplicates that are not in the log.
    if (snapshot.endOffset > offset) {
      throw coreError(
        "STATE_BLOCK_CORRUPT",
        `the state block is as of offset ${snapshot.endOffset}, its range ends at ${offset}`,
      );
    }
    this.epochs.reset(snapshot.epochs);
    for (const [producerId, producer] of snapshot.producers)
      this.producers.set(producerId, producer);
    this.#aborted = snapshot.aborted;
  }

  apply(batch: StreamBatch): void {
    // Offsets that were left out on purpose.
    if (batch.payload.length === 0) return;
    verifyBatch(batch.payload);
    const view = viewOf(batch.payload);
    this.epochs.assign(readLeaderEpoch(view), batch.baseOffset);
    const producer = producerOf(view);
    const produced = producedBatch(producer, batch.baseOffset, logAppendTimeOf(view), DURABLE);
    this.add(producer, produced, batch.endOffset, this.#clock.wallMs());
  }

  /** The stream is open: what is appended from now on, at `logEndOffset`, carries `leaderEpoch`. */
  begin(leaderEpoch: number, logEndOffset: number): void {
    this.epochs.assign(leaderEpoch, logEndOffset);
  }

  /** Takes over a batch that the stream has taken. */
  add(
    producer: ProducerBatchId | undefined,
    produced: ProducedBatch,
    endOffset: number,
    nowMs: number,
  ): void {
    this.#endOffset = endOffset;
    if (producer !== undefined)
      this.producers.add(producer.producerId, producer.producerEpoch, produced, nowMs);
  }

  encode(): Uint8Array | undefined {
    this.producers.expire(this.#clock.wallMs());
    if (this.#isPlain) return undefined;
    return encodeStateBlock({
      endOffset: this.#endOffset,
      epochs: this.epochs.entries,
      producers: [...this.producers.entries()],
      aborted: this.#aborted,
    });
  }

  /** Whether `restore` would make the same of nothing. */
  get #isPlain(): boolean {
    const [first, second] = this.epochs.entries;
    const firstOnly =
      first === undefined || (first.epoch === FIRST_LEADER_EPOCH && first.startOffset === 0);
    return (
      this.producers.size === 0 && this.#aborted.length === 0 && firstOnly && second === undefined
    );
  }
}

/** The idempotent side of a batch; undefined: it has none. */
export function producerOf(view: DataView): ProducerBatchId | undefined {
  const producerId = readProducerId(view);
  const baseSequence = readBaseSequence(view);
  if (producerId < 0 || baseSequence < 0 || (readAttributes(view) & CONTROL_BIT) !== 0)
    return undefined;
  return {
    producerId,
    producerEpoch: readProducerEpoch(view),
    baseSequence,
    lastSequence: sequenceAfter(baseSequence, readLastOffsetDelta(view)),
  };
}

/** What is remembered of a batch. */
export function producedBatch(
  producer: ProducerBatchId | undefined,
  baseOffset: number,
  logAppendTimeMs: number,
  durable: Promise<void>,
): ProducedBatch {
  return {
    baseSequence: producer?.baseSequence ?? -1,
    lastSequence: producer?.lastSequence ?? -1,
    baseOffset,
    logAppendTimeMs,
    durable,
  };
}

/** -1 under CreateTime. */
export function logAppendTimeOf(view: DataView): number {
  return (readAttributes(view) & LOG_APPEND_TIME_BIT) === 0 ? -1 : readMaxTimestamp(view);
}
