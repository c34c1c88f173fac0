import type { KafkaAnomaly, KafkaAnomalyKind } from "./kafka-history.ts";

/** Anomalies kept of each kind; the rest are counted. */
const EXAMPLES_MAX = 8;

/** Counts all anomalies, and keeps the first few of each kind. */
export class AnomalyList {
  readonly counts: Map<KafkaAnomalyKind, number> = new Map();
  readonly examples: KafkaAnomaly[] = [];

  add(anomaly: KafkaAnomaly): void {
    const count = (this.counts.get(anomaly.kind) ?? 0) + 1;
    this.counts.set(anomaly.kind, count);
    if (count <= EXAMPLES_MAX) this.examples.push(anomaly);
  }
}
