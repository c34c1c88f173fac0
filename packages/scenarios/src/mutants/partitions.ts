import type { Mutant } from "./mutant.ts";

export const partitionMutants: readonly Mutant[] = [
  {
    id: "p-start-goes-back",
    invariant: "P3",
    file: "packages/core/src/stream/stream-handle.ts",
    from: "if (before <= log.logStartOffset) return; log.logStartOffset = before;",
    to: "log.logStartOffset = before;",
    harm: "Of two trims at once the lower one wins: records come back, and then are not there.",
  },
  {
    id: "p-batch-at-the-start-not-uploaded",
    invariant: "P4",
    file: "packages/core/src/upload/plan.ts",
    from: "entry.endOffset > from)",
    to: "entry.baseOffset >= from)",
    harm: "The batch that holds the log's first offset is gone after the upload, and reading from the start fails.",
  },
  {
    id: "p-lower-trim-published",
    invariant: "P3",
    file: "packages/core/src/upload/trim-stream.ts",
    from: "if (start >= before) return;",
    to: "if (start === before) return;",
    harm: "Of two trims at once the lower one is recorded: after a restart trimmed records are back.",
  },
  {
    id: "p-time-lookup-skips-blocks",
    invariant: "P8",
    file: "packages/core/src/stream/stream-reader.ts",
    from: 'return batch === undefined ? { tag: "on", offset: entry.endOffset }',
    to: 'return batch === undefined ? { tag: "on", offset: reference.end }',
    harm: "A consumer that starts at a time misses records.",
  },
  {
    id: "p-one-log-woken-by-a-sync",
    invariant: "P4",
    file: "packages/core/src/stream/durability.ts",
    from: "advanced.add(frame.log);",
    to: "if (advanced.size === 0) advanced.add(frame.log);",
    harm: "A consumer waits at the end of a log that has gone on, until something else is appended.",
  },
  {
    id: "p-short-of-memory-for-nothing",
    invariant: "P4",
    file: "packages/core/src/stream/stream-reader.ts",
    from: 'if (!hasCode(error, "MEMORY_BUDGET_EXCEEDED") || batches.length === 0) {',
    to: 'if (!hasCode(error, "MEMORY_BUDGET_EXCEEDED")) {',
    harm: "A consumer that is short of memory is told that there is nothing, and goes on from where it is at once, for ever.",
  },
];
