/** Counters and gauges by name; units are the name's last word (`karst_wal_synced_bytes`). Get one once, use it often. */
export interface Metrics {
  /** Only grows. */
  counter(name: string): Counter;
  gauge(name: string): Gauge;
}

export interface Counter {
  add(amount: number): void;
}

export interface Gauge {
  set(value: number): void;
}

export const noMetrics: Metrics = {
  counter: () => ({ add: () => undefined }),
  gauge: () => ({ set: () => undefined }),
};
