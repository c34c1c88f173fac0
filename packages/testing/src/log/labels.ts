/** What runs must have met between them, so that one that never goes where bugs would be is found out. */
export const LABELS: readonly string[] = [
  "segment-roll",
  "upload",
  "wal-trim",
  "wal-segment-removed",
  "recovery-from-wal",
  "recovery-from-objects-and-wal",
  "recovery-crashed",
  "clean-close",
  "cold-read",
  "append-refused",
  "backlog-refused",
  "disk-full-refused",
  "append-unknown",
  "condition-failed",
  "doubtful-survived",
  "doubtful-lost",
  "engine-failed",
  "zombie-fenced",
  "zombie-refused",
  "race",
  "trim",
  "duplicate-answered",
  "retry-survived",
  "retry-appended",
  "followed",
];

/** Of runs over a store that loses requests and answers. */
export const STORE_LABELS = [
  "lost-answer",
  "lost-request",
  "late-effect",
  "outage",
  "flipped-bit",
  "not-found",
] as const;
