import type { Counter, Gauge, Metrics } from "@karst/runtime";

/** Counters and gauges as a page in the text format of Prometheus. */
export class MetricsPage implements Metrics {
  readonly #values = new Map<string, { readonly kind: "counter" | "gauge"; value: number }>();

  counter(name: string): Counter {
    const row = this.#row(name, "counter");
    return {
      add: (amount) => {
        row.value += amount;
      },
    };
  }

  gauge(name: string): Gauge {
    const row = this.#row(name, "gauge");
    return {
      set: (value) => {
        row.value = value;
      },
    };
  }

  toString(): string {
    const rows = [...this.#values].sort(([a], [b]) => (a < b ? -1 : 1));
    return rows
      .map(([name, { kind, value }]) => `# TYPE ${name} ${kind}\n${name} ${value}\n`)
      .join("");
  }

  /** Whoever asks for a name twice gets the same one. */
  #row(name: string, kind: "counter" | "gauge"): { value: number } {
    const row = this.#values.get(name) ?? { kind, value: 0 };
    this.#values.set(name, row);
    return row;
  }
}
