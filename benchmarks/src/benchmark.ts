import type { Report } from "./report/report.ts";

/** `smoke`: seconds, so that nothing rots; its figures mean nothing. `real`: minutes. */
export type Size = "smoke" | "real";

export interface BenchmarkContext {
  readonly size: Size;
  /** An empty folder of its own on the disk that is measured; removed afterwards. */
  readonly folder: string;
  readonly report: Report;
}

export interface Benchmark {
  readonly name: string;
  /** One line for `--help`. */
  readonly summary: string;
  /** @throws where a contestant loses or changes what it was given: a wrong result has no speed. */
  run(context: BenchmarkContext): Promise<void>;
}

/** A parameter: its value for either size. */
export function sized<T>(size: Size, values: { readonly smoke: T; readonly real: T }): T {
  return values[size];
}
