import { HOSTILITIES } from "./hostile.ts";

/** What runs must have met between them, so that one that never goes where bugs would be is found out. */
export const LABELS: readonly string[] = [
  "acknowledged-after-unknown",
  "clean-close",
  "cut-inside",
  "engine-failed",
  "fetch-refused",
  "left-out",
  "long-poll",
  "out-of-order-sequence",
  "out-of-range",
  "produce-refused",
  "produce-retry",
  "produce-unknown",
  "recreated",
  "request-timeout",
  "session-gone",
  "session-in-doubt",
  "spoilt-batch-refused",
  "trim",
  "upload",
  "wal-trim",
  ...HOSTILITIES.map((what) => `hostile-${what}`),
];
