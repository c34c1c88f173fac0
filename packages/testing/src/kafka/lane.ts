import { WINDOW_BATCHES } from "./limits.ts";
import type { SentBatch } from "./sent-batch.ts";
import type { PartitionModel } from "./topic-model.ts";

/** A batch that is to be made. */
export interface BatchDraft {
  readonly count: number;
  readonly recordBytes: number;
}

/** Whose batches a lane sends, and how far it has come; undefined sequences: not idempotent. */
export interface Session {
  readonly producerId: number;
  readonly epoch: number;
  /** Next sequence, by partition. */
  readonly next: Map<PartitionModel, number>;
  /** Partitions in which a batch of this session has been acknowledged. */
  readonly known: Set<PartitionModel>;
}

/**
 * What one producer has for one partition.
 *
 * Invariants: `waiting` are the batches that are not acknowledged, in sequence, at most as many as a broker remembers. Of an idempotent
 * producer a batch is sent only behind all those before it, on the same connection.
 */
export class Lane {
  readonly partition: PartitionModel;
  readonly drafts: BatchDraft[] = [];
  readonly waiting: { readonly batch: SentBatch; readonly session: Session | undefined }[] = [];
  readonly inFlight: Set<SentBatch> = new Set();
  retryAtMs = 0;

  constructor(partition: PartitionModel) {
    this.partition = partition;
  }

  get isEmpty(): boolean {
    return this.drafts.length === 0 && this.waiting.length === 0;
  }

  get hasRoom(): boolean {
    return this.drafts.length > 0 && this.waiting.length < WINDOW_BATCHES;
  }

  /** The batch that may be sent now. */
  get next(): SentBatch | undefined {
    for (const { batch, session } of this.waiting) {
      if (!this.inFlight.has(batch)) return batch;
      // A broker that knows nothing of a producer takes any sequence as its first: so that the first one must be there.
      if (session !== undefined && !session.known.has(this.partition)) return undefined;
    }
    return undefined;
  }

  /** Whether no batch precedes this one. */
  isFirst(batch: SentBatch): boolean {
    return this.waiting[0]?.batch === batch;
  }

  done(batch: SentBatch): void {
    const at = this.waiting.findIndex((one) => one.batch === batch);
    if (at < 0) return;
    const [{ session }] = this.waiting.splice(at, 1) as [(typeof this.waiting)[number]];
    session?.known.add(this.partition);
  }
}
