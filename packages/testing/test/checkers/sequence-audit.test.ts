import assert from "node:assert/strict";
import { encodeBatch } from "@karst/records";
import { test } from "vitest";
import {
  auditSequences,
  SEQUENCE_ANOMALIES,
  type SequenceAnomalyKind,
  type SequencedBatch,
  sequencedBatch,
} from "../../src/checkers/sequence-audit.ts";
import { SimulatedKafka } from "./simulated-kafka.ts";

const RUNS = Number(process.env["KARST_RUNS"] ?? 40);

/** What comes after the last batch of a log, `last`, and is wrong. */
const INJECTIONS: Readonly<
  Record<SequenceAnomalyKind, (last: SequencedBatch) => Partial<SequencedBatch>>
> = {
  "sequence-start": ({ producerEpoch }) => ({
    producerEpoch: producerEpoch + 1,
    baseSequence: 1,
  }),
  "sequence-gap": ({ baseSequence, count }) => ({ baseSequence: baseSequence + count + 1 }),
  "sequence-repeated": ({ baseSequence }) => ({ baseSequence }),
  "epoch-regressed": ({ producerEpoch }) => ({ producerEpoch: producerEpoch - 1 }),
  "offset-regressed": ({ baseOffset, baseSequence, count }) => ({
    baseOffset,
    baseSequence: baseSequence + count,
  }),
};

test("the batches of right producers show no anomaly", () => {
  for (let seed = 0; seed < RUNS; seed += 1) {
    const { batches } = new SimulatedKafka(`sequences ${seed}`, 3).run(200);
    assert.deepEqual(auditSequences(batches), []);
    const rest = batches.filter((_, i) => i > 40);
    assert.deepEqual(auditSequences(rest, { trimmed: new Set([0, 1, 2]) }), []);
  }
});

for (const kind of Object.keys(INJECTIONS) as SequenceAnomalyKind[]) {
  test(`${kind}: ${SEQUENCE_ANOMALIES[kind]}`, () => {
    for (let seed = 0; seed < RUNS; seed += 1) {
      const { batches } = new SimulatedKafka(`${kind} ${seed}`, 2).run(100);
      const last = batches.at(-1);
      assert.ok(last !== undefined);
      const next = { ...last, baseOffset: last.baseOffset + last.count };
      const injected = { ...next, ...INJECTIONS[kind](last) };
      assert.deepEqual(
        auditSequences([...batches, injected]).map((one) => [one.kind, one.batch]),
        [[kind, injected]],
      );
    }
  });
}

test("sequences go on from the greatest to 0, also inside a batch", () => {
  const batch = (baseOffset: number, baseSequence: number, count: number): SequencedBatch => ({
    partition: "p",
    baseOffset,
    producerId: 1,
    producerEpoch: 0,
    baseSequence,
    count,
  });
  const wrapping = [batch(0, 2 ** 31 - 4, 2), batch(2, 2 ** 31 - 2, 3), batch(5, 1, 1)];
  assert.deepEqual(auditSequences(wrapping, { trimmed: new Set(["p"]) }), []);
  const exact = [batch(0, 2 ** 31 - 2, 2), batch(2, 0, 1)];
  assert.deepEqual(auditSequences(exact, { trimmed: new Set(["p"]) }), []);
});

test("what a batch says of its producer is read from its bytes", () => {
  const record = { key: undefined, value: new Uint8Array([1]), timestampMs: 1 };
  const bytes = encodeBatch([record, record], {
    producer: { id: 7, epoch: 3, baseSequence: 11 },
  });
  assert.deepEqual(sequencedBatch("p", bytes), {
    partition: "p",
    baseOffset: 0,
    producerId: 7,
    producerEpoch: 3,
    baseSequence: 11,
    count: 2,
  });
});
