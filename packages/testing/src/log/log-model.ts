import type { StreamBatch } from "@karst/core";
import { equalBytes } from "@karst/runtime";
import type { ReadCall } from "../checkers/log-recorder.ts";
import type { InvariantId, Invariants } from "../world/invariants.ts";
import { LogHistory } from "./log-history.ts";
import {
  DigestState,
  type Draft,
  type OpenLog,
  type Read,
  type Taken,
  timesOf,
} from "./open-log.ts";

/** Facts below the start before they are forgotten. */
const FORGET_COUNT_MIN = 256;
/** Places kept of what has been trimmed: a producer may ask for its last batches again. */
const TRIMMED_IDS_MAX = 4_096;

/** One append that was taken, and what is known of it. */
export interface Attempt {
  readonly log: LogModel;
  readonly id: string;
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly stored: Uint8Array;
  /** Of each record. */
  readonly times: readonly number[];
  /**
   * `doubtful`: it may be there or not, its caller was told nothing, or that. `fact`: it was acknowledged, or seen, and is there for
   * ever. `never`: a later opening did not find it.
   */
  tag: "doubtful" | "fact" | "never";
}

/**
 * The simplest thing that behaves as a log should: an array of batches.
 *
 * Invariants: a fact keeps its place and its bytes; an id has one place; start and watermark only grow.
 */
export class LogModel {
  readonly name: string;
  /** Offsets may be left out. */
  readonly hasHoles: boolean;
  /** Of a log without holes. */
  readonly history: LogHistory | undefined;
  start = 0;
  /** Where trims whose outcome is not known, or not yet, may have put the start. */
  #maybeStarts: number[] = [];
  /** The greatest high watermark that anybody saw. */
  watermark = 0;
  readonly #invariants: Invariants;
  readonly #facts: Attempt[] = [];
  readonly #places = new Map<string, number>();
  /** Of the facts that have been trimmed. */
  readonly #forgotten = new DigestState();
  /** Ids of trimmed facts whose places are still known, oldest first. */
  #trimmedIds: string[] = [];
  #doubtful: Attempt[] = [];
  /** Nobody has appended beyond it. */
  #endMax = 0;
  /** Where nothing was when somebody looked, from its first offset to the one after its last: nothing will ever be. */
  readonly #shownHoles = new Map<number, number>();

  constructor(name: string, hasHoles: boolean, invariants: Invariants) {
    this.name = name;
    this.hasHoles = hasHoles;
    this.#invariants = invariants;
    this.history = hasHoles ? undefined : new LogHistory();
  }

  /** What the state derived from all that was ever appended must have come to. */
  get digest(): string {
    return this.#forgotten.plus(this.#facts);
  }

  /** Where this content is; undefined: nowhere, as far as is known. */
  placeOf(id: string): number | undefined {
    return this.#places.get(id);
  }

  /** The time of a fact, from the first one, 0, to the last, 1. */
  timeAt(where: number): number {
    const index = Math.min(Math.floor(where * this.#facts.length), this.#facts.length - 1);
    return this.#facts[index]?.times[0] ?? 0;
  }

  /** Offset of the first record with at least this time that a log shows; undefined: there is none. */
  firstAt(timestampMs: number, { logStartOffset, highWatermark }: OpenLog): number | undefined {
    for (const { baseOffset, endOffset, times } of this.#facts) {
      if (endOffset > highWatermark) return undefined;
      if (endOffset <= logStartOffset) continue;
      // A raw stream knows batches, and the latest time of each.
      if (this.hasHoles && times.some((time) => time >= timestampMs)) return baseOffset;
      const i = this.hasHoles
        ? -1
        : times.findIndex((time, at) => time >= timestampMs && baseOffset + at >= logStartOffset);
      if (i >= 0) return baseOffset + i;
    }
    return undefined;
  }

  /** @param fenced by somebody who cannot append here any more: it must not be seen, whatever he is told. */
  taken(draft: Draft, taken: Taken, fenced: boolean): Attempt {
    const { baseOffset, endOffset, stored } = taken;
    const attempt: Attempt = {
      log: this,
      id: draft.id,
      baseOffset,
      endOffset,
      stored,
      times: timesOf(draft),
      tag: "doubtful",
    };
    if (fenced) {
      attempt.tag = "never";
      return attempt;
    }
    this.#doubtful.push(attempt);
    this.#endMax = Math.max(this.#endMax, endOffset);
    return attempt;
  }

  /** An append was refused after the offsets that it was to leave out had been taken. */
  raised(logEndOffset: number): void {
    this.#check(
      "P1",
      this.hasHoles || logEndOffset <= this.#endMax,
      () => "a refused append was taken",
    );
    this.#endMax = Math.max(this.#endMax, logEndOffset);
  }

  /** A trim is on its way. */
  trimming(before: number): void {
    this.#maybeStarts.push(before);
  }

  /** It happened. @param fenced to one who had lost the log when he heard of it. */
  trimmed(before: number, fenced: boolean): void {
    this.#check("F3", !fenced || before <= this.start, () => `a zombie trimmed to ${before}`);
    this.start = Math.max(this.start, before);
    this.#forget();
  }

  /** It certainly did not. */
  notTrimmed(before: number): void {
    const i = this.#maybeStarts.indexOf(before);
    if (i >= 0) this.#maybeStarts.splice(i, 1);
  }

  /** It is there, and will be. */
  settle(attempt: Attempt): void {
    if (attempt.tag === "fact") return;
    const what = (): string => `${attempt.id} at ${attempt.baseOffset}`;
    this.#check(
      "W2",
      attempt.tag === "doubtful",
      () => `${what()} is not in the log, and was acknowledged or shown`,
    );
    const place = this.#places.get(attempt.id);
    this.#check("IP1", place === undefined, () => `${what()} is at ${place} too`);
    const i = this.#firstEndingAbove(attempt.baseOffset);
    const next = this.#facts[i];
    this.#check(
      "P2",
      next === undefined || next.baseOffset >= attempt.endOffset,
      () => `${what()} is where ${next?.id} is`,
    );
    for (const [start, end] of this.#shownHoles) {
      this.#check(
        "P4",
        attempt.endOffset <= start || attempt.baseOffset >= end,
        () => `${what()} was not there, and nothing else from ${start} to ${end}, when it was read`,
      );
    }
    attempt.tag = "fact";
    this.#facts.splice(i, 0, attempt);
    this.#places.set(attempt.id, attempt.baseOffset);
    this.#doubtful.splice(this.#doubtful.indexOf(attempt), 1);
  }

  /** Takes note of how far a process that may append says that everything is durable. */
  observe(log: OpenLog): void {
    const { logStartOffset, highWatermark, logEndOffset } = log;
    this.#check(
      "P3",
      logStartOffset <= highWatermark && highWatermark <= logEndOffset,
      () => `start ${logStartOffset}, watermark ${highWatermark}, end ${logEndOffset}`,
    );
    this.#check(
      "P3",
      logStartOffset <= this.start || this.#maybeStarts.includes(logStartOffset),
      () => `starts at ${logStartOffset}, which nobody asked for`,
    );
    this.watermark = Math.max(this.watermark, highWatermark);
  }

  /** Whether a trim may have put the start above `offset`, that it has happened or that nobody knows. */
  mayStartAbove(offset: number): boolean {
    return this.start > offset || this.#maybeStarts.some((start) => start > offset);
  }

  /** To one who has the log nothing is there that was trimmed. */
  checkTrimmed({ logStartOffset }: OpenLog): void {
    this.#check(
      "P3",
      logStartOffset >= this.start,
      () => `starts at ${logStartOffset}, and was trimmed to ${this.start}`,
    );
  }

  /** A part of the log as somebody was shown it. @param call of the history, begun with the read. */
  checkRead(from: number, read: Read, highWatermark: number, call?: ReadCall): void {
    const seen: Attempt[] = [];
    let forgotten = 0;
    let offset = from;
    for (const [i, batch] of read.batches.entries()) {
      // Who was succeeded may still show what has been trimmed, and is forgotten here.
      if (batch.endOffset <= this.start) {
        forgotten += 1;
        offset = batch.endOffset;
        continue;
      }
      const fact = this.#shown(batch);
      const where = (): string => `${fact.id} at ${fact.baseOffset}, read from ${from}`;
      this.#check(
        "K2",
        fact.endOffset <= highWatermark,
        () => `${where()}, is above the watermark`,
      );
      this.#check("P4", fact.endOffset > offset, () => `${where()}, comes again`);
      if (i > 0 || fact.baseOffset > offset) this.#checkHole(offset, fact.baseOffset);
      offset = fact.endOffset;
      seen.push(fact);
    }
    const { nextOffset } = read;
    this.#check(
      "P4",
      nextOffset >= offset && nextOffset <= Math.max(highWatermark, from),
      () => `a read from ${from} leads to ${nextOffset}`,
    );
    this.#checkHole(offset, nextOffset);
    this.#check("P4", nextOffset > from || from >= highWatermark, () => `no progress at ${from}`);
    const { history } = this;
    if (call === undefined || history === undefined || seen.length === 0 || forgotten > 0) return;
    call.finish({ tag: "ok", batches: seen.map((fact) => history.seen(fact)) });
  }

  /** A process has opened the log and shown all of it: what was doubtful and is not there will never be. */
  surveyed(log: OpenLog): void {
    const { logStartOffset, highWatermark, logEndOffset } = log;
    this.#check(
      "W7",
      highWatermark === logEndOffset,
      () => `recovered up to ${logEndOffset}, durable up to ${highWatermark}`,
    );
    this.#check(
      "P3",
      highWatermark >= this.watermark,
      () => `the watermark went back from ${this.watermark} to ${highWatermark}`,
    );
    this.#check(
      "W6",
      highWatermark <= this.#endMax,
      () => `${highWatermark}, and ${this.#endMax} was appended`,
    );
    this.#check(
      "P3",
      logStartOffset === this.start ||
        (logStartOffset > this.start && this.#maybeStarts.includes(logStartOffset)),
      () => `starts at ${logStartOffset}, not at ${this.start}`,
    );
    this.start = logStartOffset;
    this.#forget();
    this.#maybeStarts = [];
    this.watermark = highWatermark;
    this.#endMax = highWatermark;
    const last = this.#facts.at(-1);
    this.#check(
      "W2",
      last === undefined || last.endOffset <= highWatermark,
      () => `${last?.id} ends at ${last?.endOffset}, above the watermark ${highWatermark}`,
    );
    for (const attempt of this.#doubtful.splice(0)) attempt.tag = "never";
  }

  #shown(batch: StreamBatch): Attempt {
    const fact = this.#facts[this.#firstEndingAbove(batch.baseOffset)];
    const known =
      fact?.baseOffset === batch.baseOffset
        ? fact
        : this.#doubtful.find(
            (one) => one.baseOffset === batch.baseOffset && equalBytes(one.stored, batch.payload),
          );
    this.#check("W6", known !== undefined, () => `nobody appended what is at ${batch.baseOffset}`);
    this.#check(
      "P5",
      batch.endOffset === known.endOffset && equalBytes(known.stored, batch.payload),
      () => `other bytes than ${known.id} at ${known.baseOffset}`,
    );
    this.settle(known);
    return known;
  }

  /** Nothing that is there was left out. */
  #checkHole(start: number, end: number): void {
    if (start >= end) return;
    this.#check("P1", this.hasHoles, () => `nothing from ${start} to ${end}`);
    const fact = this.#facts[this.#firstEndingAbove(start)];
    this.#check(
      "P4",
      fact === undefined || fact.baseOffset >= end,
      () => `${fact?.id} at ${fact?.baseOffset} was left out from ${start} to ${end}`,
    );
    this.#shownHoles.set(start, Math.max(end, this.#shownHoles.get(start) ?? 0));
  }

  /** What is below the start nobody can be shown any more. */
  #forget(): void {
    for (const [start, end] of this.#shownHoles)
      if (end <= this.start) this.#shownHoles.delete(start);
    const count = this.#firstEndingAbove(this.start);
    if (count < FORGET_COUNT_MIN) return;
    for (const fact of this.#facts.splice(0, count)) {
      this.#forgotten.apply(fact);
      this.#trimmedIds.push(fact.id);
    }
    if (this.#trimmedIds.length <= 2 * TRIMMED_IDS_MAX) return;
    for (const id of this.#trimmedIds.splice(0, this.#trimmedIds.length - TRIMMED_IDS_MAX))
      this.#places.delete(id);
  }

  #check(id: InvariantId, holds: boolean, message: () => string): asserts holds {
    const { name } = this;
    const invariants: Invariants = this.#invariants;
    invariants.check(id, holds, () => `${name}: ${message()}`);
  }

  /** Of the facts, which are many after a long run. */
  #firstEndingAbove(offset: number): number {
    let low = 0;
    let high = this.#facts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#facts[middle] as Attempt).endOffset > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
