import assert from "node:assert/strict";
import { test } from "vitest";
import { checkKafka } from "../../src/checkers/kafka-anomalies.ts";
import { KAFKA_ANOMALIES, type KafkaAnomalyKind } from "../../src/checkers/kafka-history.ts";
import { KAFKA_INJECTIONS } from "./kafka-injections.ts";
import { SimulatedKafka, type SimulatedPartition } from "./simulated-kafka.ts";

const RUNS = Number(process.env["KARST_RUNS"] ?? 40);

test("what clients of right partitions saw shows no anomaly", () => {
  for (let seed = 0; seed < RUNS; seed += 1) {
    const log = new SimulatedKafka(seed, 1 + (seed % 4)).run(20 + 10 * (seed % 40));
    const verdict = checkKafka(log.operations, log.complete);
    assert.deepEqual(verdict.anomalies, [], `seed ${seed}`);
  }
});

for (const kind of Object.keys(KAFKA_ANOMALIES) as KafkaAnomalyKind[]) {
  test(`${kind}: ${KAFKA_ANOMALIES[kind]}`, () => {
    for (let seed = 0; seed < RUNS; seed += 1) {
      const log = new SimulatedKafka(`${kind} ${seed}`, 1 + (seed % 3)).run(20 + (seed % 100));
      const partition = log.partitions[seed % log.partitions.length] as SimulatedPartition;
      const injected = KAFKA_INJECTIONS[kind](log, partition);
      const { counts, anomalies } = checkKafka([...log.operations, ...injected], log.complete);
      const found = anomalies.find((one) => one.kind === kind);
      assert.ok(found !== undefined, `seed ${seed}: ${JSON.stringify([...counts])}`);
      assert.ok(found.operations.some((operation) => injected.includes(operation)));
    }
  });
}

test("a trim, a seek and a marker excuse what a consumer is not shown", () => {
  const send = (values: number[], baseOffset: number) =>
    ({
      kind: "send",
      producer: 1,
      partition: 0,
      values,
      outcome: { tag: "ok", baseOffset },
    }) as const;
  const poll = (offset: number, value: number, logStartOffset: number) =>
    ({
      kind: "poll",
      consumer: 1,
      partitions: [{ partition: 0, records: [{ offset, value }], logStartOffset }],
    }) as const;
  const seek = { kind: "seek", consumer: 1, positions: [{ partition: 0 }] } as const;
  // 3 is a marker's.
  const sends = [send([10, 11, 12], 0), send([14, 15], 4)];
  const trimmed = [...sends, poll(0, 10, 0), poll(2, 12, 2), poll(4, 14, 2), poll(5, 15, 2)];
  assert.deepEqual(checkKafka(trimmed, [{ partition: 0, from: 2 }]).anomalies, []);
  const sought = [...sends, poll(0, 10, 0), poll(1, 11, 0), seek, poll(1, 11, 0), poll(2, 12, 0)];
  assert.deepEqual(checkKafka(sought).anomalies, []);
  const again = checkKafka([...sends, poll(0, 10, 0), poll(0, 10, 0)]);
  assert.deepEqual([...again.counts], [["nonmonotonic-poll", 1]]);
  assert.throws(() => checkKafka([send([1], 0), send([1], 1)]), TypeError);
});

test("of a send without an answer, a value that was read proves the others", () => {
  const send = {
    kind: "send",
    producer: 1,
    partition: 0,
    values: [7, 8, 9],
    outcome: { tag: "unknown" },
  } as const;
  const poll = (...records: { offset: number; value: number }[]) =>
    ({ kind: "poll", consumer: 1, partitions: [{ partition: 0, records }] }) as const;
  assert.equal(checkKafka([send], [{ partition: 0, from: 0 }]).counts.size, 0);
  const { counts } = checkKafka([send, poll({ offset: 0, value: 7 }, { offset: 2, value: 9 })]);
  assert.deepEqual([...counts], [["lost-write", 1]]);
});
