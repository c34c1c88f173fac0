import assert from "node:assert/strict";
import type { Attempt, LogModel } from "./log-model.ts";
import type { Draft, Taken } from "./open-log.ts";
import type { Process } from "./process.ts";

/** Batches that a client has on their way at most, and that a partition remembers. */
const BATCHES_MAX = 5;
const SEQUENCES = 0x8000_0000;

/** What an append answered at once. */
export interface Sent {
  readonly taken: Taken;
  /** undefined: a duplicate. */
  readonly attempt: Attempt | undefined;
}

/** Appends for a producer, and records it; undefined: refused. */
export type Send = (draft: Draft) => Sent | undefined;

interface Batch {
  readonly draft: Draft;
  /** Where it was last sent, and what was written there. */
  process: Process | undefined;
  attempt: Attempt | undefined;
}

/**
 * An idempotent client of one partition: sends its batches in order, each until it is acknowledged.
 *
 * Invariant: `#waiting` follows `#done` in sequence, without a gap.
 */
export class ProducerModel {
  readonly id: number;
  readonly log: LogModel;
  /** Retries that found their batch in the log, and that wrote it anew. */
  survived = 0;
  lost = 0;
  #epoch = 0;
  #sequence: number;
  #batches = 0;
  /** Not acknowledged. */
  #waiting: Batch[] = [];
  /** The last that were. */
  #done: Batch[] = [];

  /** @param first its first sequence. */
  constructor(id: number, log: LogModel, first: number) {
    this.id = id;
    this.log = log;
    this.#sequence = first;
  }

  /** Whether everything sent has been acknowledged. */
  get isQuiet(): boolean {
    return this.#waiting.length === 0;
  }

  /** Gives it one more batch to send. */
  queue(options: Pick<Draft, "count" | "bytes" | "timestampMs">): void {
    if (this.#waiting.length >= BATCHES_MAX) return;
    this.#batches += 1;
    const producer = { id: this.id, epoch: this.#epoch, baseSequence: this.#sequence };
    this.#sequence = (this.#sequence + options.count) % SEQUENCES;
    const draft = { ...options, id: `p${this.id}b${this.#batches}`, gap: 0, producer };
    this.#waiting.push({ draft, process: undefined, attempt: undefined });
  }

  /** Begins a new epoch, at sequence 0. */
  bump(): void {
    if (!this.isQuiet) return;
    this.#epoch += 1;
    this.#sequence = 0;
    this.#done = [];
  }

  /** Sends what this process does not have yet, up to the first refusal. */
  send(process: Process, append: Send): void {
    for (const batch of this.#waiting) {
      if (batch.process === process) continue;
      const place = this.log.placeOf(batch.draft.id);
      const sent = append(batch.draft);
      if (sent === undefined) return;
      checkPlace(batch, sent.taken, place);
      if (batch.process !== undefined) {
        if (place === undefined) this.lost += 1;
        else this.survived += 1;
      }
      batch.process = process;
      batch.attempt = sent.attempt;
      sent.taken.durable.then(
        () => this.#acknowledged(batch),
        () => undefined,
      );
    }
  }

  /** Sends again a batch that the partition must remember: the last but `back`. Whether there is one. */
  resend(back: number, process: Process, append: Send): boolean {
    const sent = this.#waiting.filter(
      (batch) => batch.process === process || this.log.placeOf(batch.draft.id) !== undefined,
    );
    const batch = [...this.#done, ...sent].slice(-BATCHES_MAX).at(-1 - back);
    if (batch === undefined) return false;
    const again = append(batch.draft);
    if (again === undefined) return false;
    checkPlace(batch, again.taken, this.log.placeOf(batch.draft.id) ?? batch.attempt?.baseOffset);
    return true;
  }

  #acknowledged(batch: Batch): void {
    if (!this.#waiting.includes(batch)) return;
    this.#waiting = this.#waiting.filter((one) => one !== batch);
    this.#done = [...this.#done, batch].slice(-BATCHES_MAX);
  }
}

/** @param place where the batch is already; undefined: nowhere. */
function checkPlace({ draft }: Batch, taken: Taken, place: number | undefined): void {
  const answer = taken.duplicate
    ? `a duplicate at ${taken.baseOffset}`
    : `appended at ${taken.baseOffset}`;
  assert.equal(
    taken.duplicate,
    place !== undefined,
    `${draft.id}, which is at ${place}, was ${answer}`,
  );
  if (place === undefined) return;
  assert.deepEqual(
    [taken.baseOffset, taken.endOffset],
    [place, place + draft.count],
    `${draft.id} was ${answer}`,
  );
}
