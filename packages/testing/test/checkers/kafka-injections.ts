import assert from "node:assert/strict";
import type {
  KafkaAnomalyKind,
  KafkaOperation,
  PolledPartition,
} from "../../src/checkers/kafka-history.ts";
import type { SimulatedKafka, SimulatedPartition } from "./simulated-kafka.ts";

type Inject = (log: SimulatedKafka, partition: SimulatedPartition) => readonly KafkaOperation[];

/** Operations that, after those of a right log, show one anomaly. */
export const KAFKA_INJECTIONS: Readonly<Record<KafkaAnomalyKind, Inject>> = {
  "inconsistent-offsets": (log, one) => [
    acknowledged(log, one, one.end, 1),
    acknowledged(log, one, one.end, 1),
  ],
  duplicate: (log, one) => {
    const send = acknowledged(log, one, one.end, 1);
    return [send, pollOf(one, [one.end, send.values[0]], [one.end + 1, send.values[0]])];
  },
  misplaced: (log, one) => {
    const send = acknowledged(log, one, one.end, 1);
    return [send, pollOf({ ...one, partition: 99 }, [0, send.values[0]])];
  },
  unsent: (log, one) => [pollOf(one, [one.end, mint(log)])],
  G1a: (log, one) => {
    const value = mint(log);
    const failed = { ...sendOf(one, [value]), outcome: { tag: "failed" } } as const;
    return [failed, pollOf(one, [one.end, value])];
  },
  "lost-write": (log, one) => {
    const [lost, read] = [
      acknowledged(log, one, one.end, 1),
      acknowledged(log, one, one.end + 1, 1),
    ];
    return [lost, read, pollOf(one, [one.end + 1, read.values[0]])];
  },
  unseen: (log, one) => [acknowledged(log, one, one.end, 1)],
  "poll-skip": (log, one) => {
    const send = acknowledged(log, one, one.end, 3);
    const [first, , third] = send.values;
    return [send, pollOf(one, [one.end, first]), pollOf(one, [one.end + 2, third])];
  },
  "nonmonotonic-poll": (log, one) => {
    const send = acknowledged(log, one, one.end, 2);
    const [first, second] = send.values;
    return [send, pollOf(one, [one.end + 1, second]), pollOf(one, [one.end, first])];
  },
  "int-poll-skip": (log, one) => {
    const send = acknowledged(log, one, one.end, 3);
    const [first, , third] = send.values;
    return [send, pollOf(one, [one.end, first], [one.end + 2, third])];
  },
  "int-nonmonotonic-poll": (log, one) => {
    const send = acknowledged(log, one, one.end, 2);
    const [first, second] = send.values;
    return [send, pollOf(one, [one.end + 1, second], [one.end, first])];
  },
  "nonmonotonic-send": (log, one) => [
    acknowledged(log, one, one.end + 1, 1),
    acknowledged(log, one, one.end, 1),
  ],
  "int-nonmonotonic-send": (log, one) => {
    const [first, second] = [mint(log), mint(log)];
    const unknown = { ...sendOf(one, [first, second]), outcome: { tag: "unknown" } } as const;
    return [unknown, pollOf(one, [one.end, second], [one.end + 1, first])];
  },
  "int-send-skip": (log, one) => {
    const [first, second] = [mint(log), mint(log)];
    const unknown = { ...sendOf(one, [first, second]), outcome: { tag: "unknown" } } as const;
    return [unknown, pollOf(one, [one.end, first], [one.end + 2, second])];
  },
  "above-watermark": (log, one) => {
    const send = acknowledged(log, one, one.end, 1);
    return [send, pollOf({ ...one, highWatermark: one.end }, [one.end, send.values[0]])];
  },
  "watermark-regressed": (_log, one) => [
    pollOf({ ...one, highWatermark: one.end + 1 }),
    pollOf({ ...one, highWatermark: one.end }),
  ],
  "start-regressed": (_log, one) => [
    pollOf({ ...one, logStartOffset: one.start + 1 }),
    pollOf({ ...one, logStartOffset: one.start }),
  ],
};

function mint(log: SimulatedKafka): number {
  log.minted += 1;
  return log.minted;
}

function sendOf({ partition }: SimulatedPartition, values: readonly number[]) {
  return { kind: "send", producer: "injected", partition, values } as const;
}

function acknowledged(
  log: SimulatedKafka,
  one: SimulatedPartition,
  baseOffset: number,
  count: number,
) {
  const values = Array.from({ length: count }, () => mint(log));
  return { ...sendOf(one, values), outcome: { tag: "ok", baseOffset } } as const;
}

function pollOf(
  where: Omit<PolledPartition, "records">,
  ...records: readonly (readonly [offset: number, value: number | undefined])[]
): KafkaOperation {
  const { partition, highWatermark, logStartOffset } = where;
  const polled = records.map(([offset, value]) => {
    assert.ok(value !== undefined);
    return { offset, value };
  });
  const partitions = [{ partition, records: polled, highWatermark, logStartOffset }];
  return { kind: "poll", consumer: "injected", partitions };
}
