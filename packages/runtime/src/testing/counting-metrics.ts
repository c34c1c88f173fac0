import { assert } from "../errors.ts";
import type { Metrics } from "../metrics.ts";

export interface CountingMetrics extends Metrics {
  /** A counter's sum or a gauge's last value; 0 for a name that nobody has used. */
  value(name: string): number;
  /** Every name used so far with its value, sorted by name. */
  values(): Readonly<Record<string, number>>;
}

/** Keeps what is counted, for assertions. A counter that shrinks is a defect and fails. */
export function countingMetrics(): CountingMetrics {
  const values = new Map<string, number>();
  const value = (name: string): number => values.get(name) ?? 0;
  return {
    value,
    values: () => Object.fromEntries([...values].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    counter: (name) => ({
      add(amount) {
        assert(amount >= 0, `counter ${name} was given ${amount}: counters only grow`);
        values.set(name, value(name) + amount);
      },
    }),
    gauge: (name) => ({ set: (amount) => void values.set(name, amount) }),
  };
}
