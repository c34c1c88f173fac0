import assert from "node:assert/strict";
import type { StreamBatch } from "@karst/core";
import { equalBytes } from "@karst/runtime";
import type { Draft, OpenLog, Read, Taken } from "./open-log.ts";

/** One append that was taken, and what is known of it. */
export interface Attempt {
  readonly log: LogModel;
  readonly id: string;
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly stored: Uint8Array;
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
  start = 0;
  /** Where trims whose outcome is not known, or not yet, may have put the start. */
  #maybeStarts: number[] = [];
  /** The greatest high watermark that anybody saw. */
  watermark = 0;
  readonly #facts: Attempt[] = [];
  readonly #places = new Map<string, number>();
  #doubtful: Attempt[] = [];
  /** Nobody has appended beyond it. */
  #endMax = 0;

  constructor(name: string, hasHoles: boolean) {
    this.name = name;
    this.hasHoles = hasHoles;
  }

  /** Ascending. */
  get facts(): readonly Attempt[] {
    return this.#facts;
  }

  /** Where this content is; undefined: nowhere, as far as is known. */
  placeOf(id: string): number | undefined {
    return this.#places.get(id);
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
    assert.ok(
      this.hasHoles || logEndOffset <= this.#endMax,
      `${this.name}: a refused append was taken`,
    );
    this.#endMax = Math.max(this.#endMax, logEndOffset);
  }

  /** A trim is on its way. */
  trimming(before: number): void {
    this.#maybeStarts.push(before);
  }

  /** It happened. @param fenced to one who had lost the log when he heard of it. */
  trimmed(before: number, fenced: boolean): void {
    assert.ok(!fenced || before <= this.start, `${this.name}: a zombie trimmed to ${before}`);
    this.start = Math.max(this.start, before);
  }

  /** It certainly did not. */
  notTrimmed(before: number): void {
    const i = this.#maybeStarts.indexOf(before);
    if (i >= 0) this.#maybeStarts.splice(i, 1);
  }

  /** It is there, and will be. */
  settle(attempt: Attempt): void {
    if (attempt.tag === "fact") return;
    const what = `${this.name}: ${attempt.id} at ${attempt.baseOffset}`;
    assert.equal(
      attempt.tag,
      "doubtful",
      `${what} is not in the log, and was acknowledged or shown`,
    );
    const place = this.#places.get(attempt.id);
    assert.ok(place === undefined, `${what} is at ${place} too`);
    const i = this.#firstEndingAbove(attempt.baseOffset);
    const next = this.#facts[i];
    assert.ok(
      next === undefined || next.baseOffset >= attempt.endOffset,
      `${what} is where ${next?.id} is`,
    );
    attempt.tag = "fact";
    this.#facts.splice(i, 0, attempt);
    this.#places.set(attempt.id, attempt.baseOffset);
    this.#doubtful = this.#doubtful.filter((one) => one !== attempt);
  }

  /** Takes note of how far a process that may append says that everything is durable. */
  observe(log: OpenLog, attempts: readonly Attempt[]): void {
    const { logStartOffset, highWatermark, logEndOffset } = log;
    assert.ok(logStartOffset <= highWatermark && highWatermark <= logEndOffset);
    assert.ok(logStartOffset <= this.start || this.#maybeStarts.includes(logStartOffset));
    this.watermark = Math.max(this.watermark, highWatermark);
    for (const attempt of attempts) {
      if (attempt.log === this && attempt.endOffset <= highWatermark) this.settle(attempt);
    }
  }

  /** A part of the log as somebody was shown it. */
  checkRead(from: number, read: Read, highWatermark: number): void {
    let offset = from;
    for (const [i, batch] of read.batches.entries()) {
      const fact = this.#shown(batch);
      const where = `${this.name}: ${fact.id} at ${fact.baseOffset}, read from ${from}`;
      assert.ok(fact.endOffset <= highWatermark, `${where}, is above the watermark`);
      assert.ok(fact.endOffset > offset, `${where}, comes again`);
      if (i > 0 || fact.baseOffset > offset) this.#checkHole(offset, fact.baseOffset);
      offset = fact.endOffset;
    }
    const { nextOffset } = read;
    assert.ok(nextOffset >= offset && nextOffset <= Math.max(highWatermark, from));
    this.#checkHole(offset, nextOffset);
    assert.ok(nextOffset > from || from >= highWatermark, `${this.name}: no progress at ${from}`);
  }

  /** A process has opened the log and shown all of it: what was doubtful and is not there will never be. */
  surveyed(log: OpenLog): void {
    const { logStartOffset, highWatermark, logEndOffset } = log;
    assert.equal(highWatermark, logEndOffset, `${this.name}: something recovered is not durable`);
    assert.ok(
      highWatermark >= this.watermark,
      `${this.name}: the watermark went back from ${this.watermark} to ${highWatermark}`,
    );
    assert.ok(highWatermark <= this.#endMax, `${this.name}: more than was appended`);
    assert.ok(
      logStartOffset === this.start ||
        (logStartOffset > this.start && this.#maybeStarts.includes(logStartOffset)),
      `${this.name}: starts at ${logStartOffset}, not at ${this.start}`,
    );
    this.start = logStartOffset;
    this.#maybeStarts = [];
    this.watermark = highWatermark;
    this.#endMax = highWatermark;
    const last = this.#facts.at(-1);
    assert.ok(last === undefined || last.endOffset <= highWatermark);
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
    assert.ok(known !== undefined, `${this.name}: nobody appended what is at ${batch.baseOffset}`);
    assert.equal(batch.endOffset, known.endOffset);
    assert.ok(
      equalBytes(known.stored, batch.payload),
      `${this.name}: other bytes than ${known.id} at ${known.baseOffset}`,
    );
    this.settle(known);
    return known;
  }

  /** Nothing that is there was left out. */
  #checkHole(start: number, end: number): void {
    if (start >= end) return;
    assert.ok(this.hasHoles, `${this.name}: nothing from ${start} to ${end}`);
    const fact = this.#facts[this.#firstEndingAbove(start)];
    assert.ok(
      fact === undefined || fact.baseOffset >= end,
      `${this.name}: ${fact?.id} at ${fact?.baseOffset} was left out from ${start} to ${end}`,
    );
  }

  #firstEndingAbove(offset: number): number {
    let i = this.#facts.length;
    while (i > 0 && (this.#facts[i - 1] as Attempt).endOffset > offset) i -= 1;
    return i;
  }
}
