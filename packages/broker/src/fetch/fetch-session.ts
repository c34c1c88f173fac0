import { ErrorCode } from "@karst/kafka-protocol";

/** The epoch of a session's first incremental request; the full one before it has 0. */
const FIRST_EPOCH = 1;
/** Epochs wrap round to the first. */
const EPOCH_MAX = 0x7fff_ffff;
/** Told with an error: whatever comes after it is news. */
const NOT_TOLD = -1;

export interface NamedPartition {
  /** Of requests that name topics. */
  readonly topic: string;
  /** Of requests that have topic ids. */
  readonly topicId: string;
  readonly partition: number;
}

/** What a client wants of one partition. */
export interface WantedPartition extends NamedPartition {
  readonly currentLeaderEpoch: number;
  readonly fetchOffset: number;
  readonly lastFetchedEpoch: number;
  readonly partitionMaxBytes: number;
}

/** What could be answered for one partition. */
export interface PartitionAnswer {
  readonly wanted: WantedPartition;
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly logStartOffset: number;
  /** Of records. */
  readonly bytes: number;
  /** The client has records that the log has not: it is told from where on. */
  readonly diverges: boolean;
}

/*
 * What a session takes in memory, rounded up from what the heap of Node 20 shows. The name of a partition's topic is there twice, with
 * up to two bytes for each unit.
 */
const SESSION_BYTES = 512;
const PARTITION_BYTES = 320;
const ID_LENGTH = 32;

/** Of the request after the one with `epoch`. */
export function epochAfter(epoch: number): number {
  return epoch === EPOCH_MAX ? FIRST_EPOCH : epoch + 1;
}

interface SessionPartition {
  wanted: WantedPartition;
  toldHighWatermark: number;
  toldLogStartOffset: number;
}

/**
 * What one client wants of which partitions, and what it was told of each, so that requests and answers carry only changes (KIP-227).
 *
 * A request takes effect only with the epoch that is expected, and moves the epoch on: who sends the next one has seen the answer to
 * this one, and who has not can only begin anew. So what was told is what was answered, and need not be known to have arrived.
 *
 * Invariants: `bytes` is what it takes in memory. `#partitions` is in the order in which they are read; those that brought records go to its end, so that each has its turn.
 * An answer that is not told to the client says nothing that it was not told before, but for the last stable offset.
 */
export class FetchSession {
  readonly id: number;
  /** Whether its topics go by ids: it cannot be continued in versions that have names. */
  readonly byId: boolean;
  readonly createdMs: number;
  readonly #partitions = new Map<string, SessionPartition>();
  #epoch = FIRST_EPOCH;
  #bytes = SESSION_BYTES;

  /** `answers`: all of them, told to the client with the session's id. */
  constructor(
    options: { readonly id: number; readonly byId: boolean; readonly createdMs: number },
    answers: readonly PartitionAnswer[],
  ) {
    this.id = options.id;
    this.byId = options.byId;
    this.createdMs = options.createdMs;
    for (const { wanted, errorCode, highWatermark, logStartOffset } of answers) {
      const failed = errorCode !== ErrorCode.NONE;
      this.#put(this.#keyOf(wanted), {
        wanted,
        toldHighWatermark: failed ? NOT_TOLD : highWatermark,
        toldLogStartOffset: failed ? NOT_TOLD : logStartOffset,
      });
    }
  }

  /** Partitions. */
  get size(): number {
    return this.#partitions.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Of the next request. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Of all its partitions, in the order in which they are to be read. */
  get wanted(): readonly WantedPartition[] {
    return Array.from(this.#partitions.values(), ({ wanted }) => wanted);
  }

  /** Takes over what a request of the expected epoch changes. What is wanted and forgotten in one request is forgotten. */
  advance(wanted: readonly WantedPartition[], forgotten: readonly NamedPartition[]): void {
    for (const one of wanted) {
      const key = this.#keyOf(one);
      const known = this.#partitions.get(key);
      if (known === undefined) {
        const told = { toldHighWatermark: NOT_TOLD, toldLogStartOffset: NOT_TOLD };
        this.#put(key, { wanted: one, ...told });
      } else {
        known.wanted = one;
      }
    }
    for (const one of forgotten) {
      if (this.#partitions.delete(this.#keyOf(one))) this.#bytes -= this.#bytesOf(one);
    }
    this.#epoch = epochAfter(this.#epoch);
  }

  /** Those of the answers that are news to the client; they count as told. */
  tell<Answer extends PartitionAnswer>(answers: readonly Answer[]): Answer[] {
    return answers.filter((answer) => this.#tellOne(answer));
  }

  #tellOne(answer: PartitionAnswer): boolean {
    const key = this.#keyOf(answer.wanted);
    const known = this.#partitions.get(key);
    // Never so while nobody has changed the session since the answers' request.
    if (known === undefined) return true;
    const failed = answer.errorCode !== ErrorCode.NONE;
    const moved =
      known.toldHighWatermark !== answer.highWatermark ||
      known.toldLogStartOffset !== answer.logStartOffset;
    known.toldHighWatermark = failed ? NOT_TOLD : answer.highWatermark;
    known.toldLogStartOffset = failed ? NOT_TOLD : answer.logStartOffset;
    if (answer.bytes > 0) {
      this.#partitions.delete(key);
      this.#partitions.set(key, known);
    }
    return failed || moved || answer.bytes > 0 || answer.diverges;
  }

  #put(key: string, partition: SessionPartition): void {
    if (!this.#partitions.has(key)) this.#bytes += this.#bytesOf(partition.wanted);
    this.#partitions.set(key, partition);
  }

  #bytesOf({ topic }: NamedPartition): number {
    return PARTITION_BYTES + 4 * (this.byId ? ID_LENGTH : topic.length);
  }

  #keyOf({ topic, topicId, partition }: NamedPartition): string {
    return `${partition}/${this.byId ? topicId : topic}`;
  }
}
