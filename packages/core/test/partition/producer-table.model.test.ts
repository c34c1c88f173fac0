import assert from "node:assert/strict";
import * as fc from "fast-check";
import { test } from "vitest";
import { ProducerTable, sequenceAfter } from "../../src/partition/producer-table.ts";

const RUNS = Number(process.env["KARST_RUNS"] ?? 300);
const SEQUENCES = 2 ** 31;
const PRODUCERS_MAX = 3;
const DURABLE = Promise.resolve();

interface SentBatch {
  readonly epoch: number;
  readonly sequences: readonly number[];
  readonly baseOffset: number;
}

/** Everything that was ever appended, and nothing derived from it. */
class Model {
  readonly log: { readonly producerId: number; readonly batch: SentBatch }[] = [];
  end = 0;

  /** Those that appended last, the most recent first. */
  get remembered(): number[] {
    return [...new Set(this.log.map((entry) => entry.producerId).toReversed())].slice(
      0,
      PRODUCERS_MAX,
    );
  }

  /** A producer that was pushed out begins anew: what it appended before that is unknown. */
  batchesOf(producerId: number): SentBatch[] {
    const batches: SentBatch[] = [];
    const since = new Set<number>();
    for (const entry of this.log.toReversed()) {
      if (entry.producerId === producerId) {
        if (since.size >= PRODUCERS_MAX) break;
        batches.unshift(entry.batch);
        since.clear();
      } else {
        since.add(entry.producerId);
      }
    }
    return this.remembered.includes(producerId) ? batches : [];
  }

  verdict(producerId: number, epoch: number, sequences: readonly number[]): string {
    const batches = this.batchesOf(producerId);
    const last = batches.at(-1);
    if (last === undefined) return "accept";
    if (epoch < last.epoch) return "fenced";
    if (epoch > last.epoch) return sequences[0] === 0 ? "accept" : "out-of-order";
    const present = batches
      .slice(batches.findLastIndex((batch) => batch.epoch !== epoch) + 1)
      .slice(-5);
    const original = present.find((batch) => String(batch.sequences) === String(sequences));
    if (original !== undefined) return `duplicate of ${original.baseOffset}`;
    return sequences[0] === ((last.sequences.at(-1) as number) + 1) % SEQUENCES
      ? "accept"
      : "out-of-order";
  }
}

/** Verdicts that were given: a run that never meets one of them proves nothing about it. */
const met = new Set<string>();

class SendCommand implements fc.Command<Model, ProducerTable> {
  readonly producerId: number;
  readonly epochStep: number;
  readonly back: number;
  readonly jump: number;
  readonly count: number;

  constructor(producerId: number, epochStep: number, back: number, jump: number, count: number) {
    this.producerId = producerId;
    this.epochStep = epochStep;
    this.back = back;
    this.jump = jump;
    this.count = count;
  }

  check(): boolean {
    return true;
  }

  run(model: Model, real: ProducerTable): void {
    const { producerId } = this;
    const sent = model.log
      .filter((entry) => entry.producerId === producerId)
      .map((entry) => entry.batch);
    const last = sent.at(-1);
    const epoch = Math.max(0, (last?.epoch ?? 0) + this.epochStep);
    // Sends one of its batches again, or the next one, perhaps with a wrong sequence.
    const again = this.back > 0 ? sent.at(-this.back) : undefined;
    const next = this.epochStep > 0 ? 0 : sequenceAfter(last?.sequences.at(-1) ?? SEQUENCES - 8, 1);
    const base = (next + this.jump + SEQUENCES) % SEQUENCES;
    const sequences =
      again?.sequences ?? Array.from({ length: this.count }, (_, i) => (base + i) % SEQUENCES);
    const [baseSequence, lastSequence] = [sequences[0] as number, sequences.at(-1) as number];

    const verdict = real.decide({ producerId, producerEpoch: epoch, baseSequence, lastSequence });
    const said =
      verdict.tag === "duplicate" ? `duplicate of ${verdict.original.baseOffset}` : verdict.tag;
    assert.equal(said, model.verdict(producerId, epoch, sequences));
    met.add(verdict.tag);
    if (verdict.tag !== "accept") return;
    const baseOffset = model.end;
    real.add(
      producerId,
      epoch,
      { baseSequence, lastSequence, baseOffset, logAppendTimeMs: -1, durable: DURABLE },
      0,
    );
    model.log.push({ producerId, batch: { epoch, sequences, baseOffset } });
    model.end += sequences.length;
    assert.ok(real.size <= PRODUCERS_MAX);
    assert.deepEqual([...real.entries()].map(([known]) => known).toReversed(), model.remembered);
  }

  toString(): string {
    return `send(${this.producerId}, epoch ${this.epochStep}, back ${this.back}, jump ${this.jump}, ${this.count})`;
  }
}

test("the table decides as the whole history would", () => {
  const send = fc
    .tuple(
      fc.integer({ min: 1, max: 4 }),
      fc.oneof(
        { weight: 8, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.constantFrom(-1, 1) },
      ),
      fc.oneof(
        { weight: 4, arbitrary: fc.constant(0) },
        { weight: 2, arbitrary: fc.integer({ min: 1, max: 8 }) },
      ),
      fc.oneof(
        { weight: 8, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.constantFrom(-1, 1) },
      ),
      fc.integer({ min: 1, max: 4 }),
    )
    .map((values) => new SendCommand(...values));
  fc.assert(
    fc.property(fc.commands([send], { maxCommands: 60, size: "max" }), (commands) => {
      const setup = (): { model: Model; real: ProducerTable } => ({
        model: new Model(),
        real: new ProducerTable({ producersMax: PRODUCERS_MAX, expirationMs: 1000 }),
      });
      fc.modelRun(setup, commands);
    }),
    { numRuns: RUNS },
  );
  assert.deepEqual([...met].toSorted(), ["accept", "duplicate", "fenced", "out-of-order"]);
});
