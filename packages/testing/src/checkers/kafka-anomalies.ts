import { AnomalyList } from "./anomaly-list.ts";
import type { CompleteRead, KafkaOperation, KafkaVerdict } from "./kafka-history.ts";
import { checkPolls } from "./kafka-polls.ts";
import { checkSends } from "./kafka-sends.ts";
import { collectPartitions } from "./kafka-partitions.ts";

/**
 * What clients saw that no Kafka log without transactions may show: all anomalies, in O(n log n).
 *
 * Records may be absent between offsets (markers, compaction by others than the producers of the history): only values that are known to
 * be there count as left out.
 *
 * @param complete Partitions that were read to their end, from where.
 * @throws TypeError A value was sent twice.
 */
export function checkKafka(
  operations: readonly KafkaOperation[],
  complete: readonly CompleteRead[] = [],
): KafkaVerdict {
  const anomalies = new AnomalyList();
  const partitions = collectPartitions(operations, anomalies);
  checkSends(operations, partitions, complete, anomalies);
  checkPolls(operations, partitions, anomalies);
  return { operations: operations.length, counts: anomalies.counts, anomalies: anomalies.examples };
}
