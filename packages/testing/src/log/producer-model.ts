import { hasCode } from "@karst/runtime";
import type { Invariants } from "../world/invariants.ts";
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
  readonly #invariants: Invariants;
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

  constructor(options: {
    readonly id: number;
    readonly log: LogModel;
    readonly firstSequence: number;
    readonly invariants: Invariants;
  }) {
    this.id = options.id;
    this.log = options.log;
    this.#sequence = options.firstSequence;
    this.#invariants = options.invariants;
  }

  /** Whether everything sent has been acknowledged. */
  get isQuiet(): boolean {
    return this.#waiting.length === 0;
  }

  /** Gives it one more batch to send. */
  queue(options: Pick<Draft, "count" | "bytes" | "timestampMs" | "stepMs">): void {
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
      const sent = this.#append(batch.draft, append);
      if (sent === undefined) return;
      this.#checkPlace(batch, sent.taken, place);
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
    const again = this.#append(batch.draft, append);
    if (again === undefined) return false;
    const place = this.log.placeOf(batch.draft.id) ?? batch.attempt?.baseOffset;
    this.#checkPlace(batch, again.taken, place);
    return true;
  }

  /** What a log that knows this producer must refuse: a batch of the epoch before, or one that leaves sequences out. */
  stray(what: "older-epoch" | "ahead"): Draft | undefined {
    const known = this.#done.at(-1)?.draft;
    if (known?.producer === undefined || (what === "older-epoch" && this.#epoch === 0))
      return undefined;
    const { id, epoch } = known.producer;
    const producer =
      what === "ahead"
        ? { id, epoch, baseSequence: (this.#sequence + 1) % SEQUENCES }
        : { id, epoch: epoch - 1, baseSequence: 0 };
    return { ...known, id: `${known.id}?`, producer };
  }

  #append(draft: Draft, append: Send): Sent | undefined {
    try {
      return append(draft);
    } catch (error) {
      const refused = hasCode(error, "OUT_OF_ORDER_SEQUENCE", "INVALID_PRODUCER_EPOCH");
      this.#invariants.check("IP4", !refused, () => `${draft.id} was refused: ${String(error)}`);
      throw error;
    }
  }

  #acknowledged(batch: Batch): void {
    if (!this.#waiting.includes(batch)) return;
    this.#waiting = this.#waiting.filter((one) => one !== batch);
    this.#done = [...this.#done, batch].slice(-BATCHES_MAX);
  }

  /** @param place where the batch is already; undefined: nowhere. */
  #checkPlace({ draft }: Batch, taken: Taken, place: number | undefined): void {
    const { baseOffset, endOffset, duplicate } = taken;
    const invariants: Invariants = this.#invariants;
    const what = (): string =>
      `${draft.id}, which is at ${place}, was ${duplicate ? "a duplicate" : "appended"} at ${baseOffset}`;
    invariants.check("IP4", duplicate === (place !== undefined), what);
    if (place === undefined) return;
    invariants.check("IP2", baseOffset === place && endOffset === place + draft.count, what);
  }
}
