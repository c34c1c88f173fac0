import type { LogOperation } from "./history.ts";

/** What no log may show. */
export const LOG_ANOMALIES = {
  overlap: "two acknowledged appends share an offset",
  inconsistent: "an offset has two contents",
  duplicate: "one append is at two offsets",
  phantom: "a read shows what nobody appended",
  aborted: "a read shows an append that definitely failed",
  torn: "a batch is seen in part",
  discontiguous: "a read leaves something out, or repeats it",
  "above-tail": "a read shows what is above the tail that it reports",
  condition: "an append's condition was not what decided it",
  "epoch-order": "an older owner's batch follows a newer one's",
  unexplained: "offsets that no append can have filled",
  order: "an append is below one that was acknowledged before it began",
  future: "something was seen before it was appended",
  stale: "an acknowledged append was not seen",
  regressed: "something seen was not seen again",
  "trim-unexplained": "a start that nobody asked for",
  "trim-future": "a start was seen before it was asked for",
  "trim-stale": "the start went back",
} as const;

export type LogAnomalyKind = keyof typeof LOG_ANOMALIES;

export interface LogAnomaly {
  readonly kind: LogAnomalyKind;
  /** Those that contradict each other. */
  readonly operations: readonly LogOperation[];
  readonly detail: string;
}

export function logAnomaly(
  kind: LogAnomalyKind,
  operations: readonly (LogOperation | undefined)[],
  detail: string,
): LogAnomaly {
  return { kind, operations: operations.filter((one) => one !== undefined), detail };
}

export type LogVerdict =
  | {
      readonly tag: "linearizable";
      readonly operations: number;
      /** Offsets filled by appends of unknown outcome that nobody read. */
      readonly unreadCount: number;
      /**
       * False: appends that nobody read, of several records or with a condition, must have been there; that they can be arranged was not
       * shown, only that there are enough of them in time. A history that ends with a read of everything is decided exactly.
       */
      readonly exact: boolean;
    }
  | { readonly tag: "anomalous"; readonly anomaly: LogAnomaly };
