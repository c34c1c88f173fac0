import assert from "node:assert/strict";
import { type Stream, type StreamBatch, type StreamState } from "@karst/core";
import { getInt64, isKarstError, setInt64, utf8Decode, utf8Encode, viewOf } from "@karst/runtime";

interface Attempt {
  readonly serial: number;
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly timestampMs: number;
  tag: "pending" | "acknowledged" | "unknown";
}

/** The simplest thing that behaves as a stream should: what was attempted, and what became of it. */
export class StreamModel {
  readonly streamId: number;
  logStartOffset = 0;
  #attempts: Attempt[] = [];
  #serial = 0;

  constructor(streamId: number) {
    this.streamId = streamId;
  }

  get acknowledged(): number {
    return this.#attempts.filter((attempt) => attempt.tag === "acknowledged").length;
  }

  /** Appends, and keeps what is known of it. A refusal leaves no trace. */
  append(
    stream: Stream,
    options: {
      readonly count: number;
      readonly bytes: number;
      readonly gap: number;
      readonly timestampMs: number;
    },
  ): boolean {
    this.#serial += 1;
    const baseOffset = stream.logEndOffset + options.gap;
    const payload = utf8Encode(
      `${this.streamId}/${this.#serial}@${baseOffset}.`.padEnd(options.bytes, "x"),
    );
    let durable: Promise<void>;
    try {
      ({ durable } = stream.append({
        payload,
        count: options.count,
        maxTimestampMs: options.timestampMs,
        baseOffset,
      }));
    } catch (error) {
      assert.ok(isKarstError(error, "unavailable", "closed", "fenced"), String(error));
      return false;
    }
    payload.fill(0);
    const attempt: Attempt = {
      serial: this.#serial,
      baseOffset,
      endOffset: baseOffset + options.count,
      timestampMs: options.timestampMs,
      tag: "pending",
    };
    this.#attempts.push(attempt);
    durable.then(
      () => {
        assert.equal(attempt.tag, "pending");
        assert.ok(stream.highWatermark >= attempt.endOffset);
        attempt.tag = "acknowledged";
      },
      (error: unknown) => {
        assert.ok(isKarstError(error, "indeterminate"), String(error));
        attempt.tag = "unknown";
      },
    );
    return true;
  }

  /** The process is gone: what was pending is unknown. */
  crash(): void {
    for (const attempt of this.#attempts) if (attempt.tag === "pending") attempt.tag = "unknown";
  }

  /**
   * Checks what a stream shows from its start to its high watermark, all of it: everything acknowledged, nothing that was never
   * attempted, in order. What is shown is a fact from then on.
   */
  check(stream: Stream, shown: readonly StreamBatch[]): void {
    assert.equal(stream.logStartOffset, this.logStartOffset);
    let previousEnd = this.logStartOffset;
    const facts: Attempt[] = [];
    for (const batch of shown) {
      const attempt = this.#attemptOf(batch);
      assert.ok(
        batch.baseOffset >= previousEnd || facts.length === 0,
        `batch at ${batch.baseOffset} overlaps`,
      );
      assert.ok(batch.endOffset > this.logStartOffset && batch.endOffset <= stream.highWatermark);
      assert.deepEqual(
        [batch.baseOffset, batch.endOffset, batch.maxTimestampMs],
        [attempt.baseOffset, attempt.endOffset, attempt.timestampMs],
      );
      previousEnd = batch.endOffset;
      facts.push(attempt);
    }
    for (const attempt of this.#attempts) {
      if (attempt.tag !== "acknowledged" || attempt.endOffset <= this.logStartOffset) continue;
      assert.ok(
        facts.includes(attempt),
        `stream ${this.streamId} lost acknowledged offset ${attempt.baseOffset}`,
      );
    }
    for (const attempt of facts) attempt.tag = "acknowledged";
    this.#attempts = this.#attempts.filter(
      (attempt) => attempt.tag !== "unknown" || attempt.baseOffset >= stream.highWatermark,
    );
  }

  /** Checks a part of it. */
  checkRead(from: number, batches: readonly StreamBatch[], nextOffset: number): void {
    let offset = from;
    for (const [i, batch] of batches.entries()) {
      const attempt = this.#attemptOf(batch);
      assert.equal(batch.baseOffset, attempt.baseOffset);
      assert.ok(batch.endOffset > from && (i === 0 || batch.baseOffset >= offset));
      // What lies between was never acknowledged.
      for (const other of this.#attempts) {
        if (
          other.tag === "acknowledged" &&
          other.endOffset > offset &&
          other.baseOffset < batch.baseOffset
        ) {
          assert.equal(
            other.endOffset <= from || other.endOffset <= offset,
            true,
            `offset ${other.baseOffset} was left out`,
          );
        }
      }
      offset = batch.endOffset;
    }
    assert.ok(nextOffset >= offset);
  }

  /** First offset of the batch that a search for a time must find, among what is acknowledged. */
  find(timestampMs: number): number | undefined {
    return this.#attempts
      .filter(
        (attempt) => attempt.tag === "acknowledged" && attempt.endOffset > this.logStartOffset,
      )
      .toSorted((a, b) => a.baseOffset - b.baseOffset)
      .find((attempt) => attempt.timestampMs >= timestampMs)?.baseOffset;
  }

  #attemptOf(batch: StreamBatch): Attempt {
    const [, streamId, serial] = /^(\d+)\/(\d+)@/.exec(utf8Decode(batch.payload)) ?? [];
    assert.equal(Number(streamId), this.streamId, "bytes of another stream");
    const attempt = this.#attempts.find((one) => one.serial === Number(serial));
    assert.ok(
      attempt !== undefined,
      `batch at ${batch.baseOffset} was never attempted, or was lost before`,
    );
    return attempt;
  }
}

/** A digest of all batches, in order, to compare with one made from reading them. */
export class DigestState implements StreamState {
  #digest = 0;
  #end = 0;

  get value(): readonly number[] {
    return [this.#digest, this.#end];
  }

  encode(): Uint8Array | undefined {
    if (this.#end === 0) return undefined;
    const bytes = new Uint8Array(16);
    setInt64(viewOf(bytes), 0, this.#digest);
    setInt64(viewOf(bytes), 8, this.#end);
    return bytes;
  }

  restore(state: Uint8Array | undefined, offset: number): void {
    if (state === undefined) return;
    this.#digest = getInt64(viewOf(state), 0);
    this.#end = getInt64(viewOf(state), 8);
    assert.ok(this.#end <= offset);
  }

  apply(batch: { readonly baseOffset: number; readonly endOffset: number }): void {
    assert.ok(batch.baseOffset >= this.#end, `batch at ${batch.baseOffset} applied twice`);
    this.#digest = (this.#digest * 31 + batch.baseOffset) % 1_000_003;
    this.#end = batch.endOffset;
  }
}
