import type { AnomalyList } from "./anomaly-list.ts";
import type { CompleteRead, KafkaOperation, SendOperation } from "./kafka-history.ts";
import type { KnownPartition, KnownPartitions, SentValue } from "./kafka-partitions.ts";

/** What became of everything that was sent: there, in order, side by side. */
export function checkSends(
  operations: readonly KafkaOperation[],
  known: KnownPartitions,
  complete: readonly CompleteRead[],
  anomalies: AnomalyList,
): void {
  const completeFrom = new Map(complete.map(({ partition, from }) => [partition, from]));
  const lastSends = new Map<string, SentValue>();
  for (const send of operations) {
    if (send.kind !== "send") continue;
    const sent = send.values.map((value) => known.values.get(value) as SentValue);
    const partition = known.byPartition.get(send.partition) as KnownPartition;
    checkThere(send, sent, partition, completeFrom.get(send.partition), anomalies);
    checkOrder(send, sent, lastSends, anomalies);
  }
}

/** A value of a send that took effect has to be read where anything above it was. */
function checkThere(
  send: SendOperation,
  sent: readonly SentValue[],
  { readMax, startMax }: KnownPartition,
  completeFrom: number | undefined,
  anomalies: AnomalyList,
): void {
  // Of an unknown outcome it is proven by any value that was read.
  const first = sent.findIndex(({ offset }) => offset !== undefined);
  if (first < 0) return;
  const baseOffset = (sent[first]?.offset as number) - first;
  for (const [i, { value, poll, offset: placed }] of sent.entries()) {
    const offset = placed ?? baseOffset + i;
    if (poll !== undefined || offset < startMax) continue;
    const add = (kind: "lost-write" | "unseen"): void =>
      anomalies.add({
        kind,
        partition: send.partition,
        operations: [send],
        detail: `${value} at ${offset}, read up to ${readMax}`,
      });
    if (offset < readMax) add("lost-write");
    else if (completeFrom !== undefined && offset >= completeFrom) add("unseen");
  }
}

function checkOrder(
  send: SendOperation,
  sent: readonly SentValue[],
  lastSends: Map<string, SentValue>,
  anomalies: AnomalyList,
): void {
  const { partition } = send;
  for (const [i, { offset }] of sent.entries()) {
    const before = sent[i - 1]?.offset;
    if (before === undefined || offset === undefined || offset === before + 1) continue;
    const kind = offset <= before ? "int-nonmonotonic-send" : "int-send-skip";
    anomalies.add({ kind, partition, operations: [send], detail: `${before}, then ${offset}` });
  }
  const there = sent.filter(({ offset }) => offset !== undefined);
  const [first, last] = [there[0], there.at(-1)];
  if (first === undefined || last === undefined) return;
  const key = JSON.stringify([send.producer, partition]);
  const before = lastSends.get(key);
  if (before !== undefined && (first.offset as number) <= (before.offset as number)) {
    anomalies.add({
      kind: "nonmonotonic-send",
      partition,
      operations: [before.send, send],
      detail: `${before.value} at ${before.offset}, then ${first.value} at ${first.offset}`,
    });
  }
  lastSends.set(key, last);
}
