import type { Mutant } from "./mutant.ts";

export const cacheMutants: readonly Mutant[] = [
  {
    id: "k-joined-read-keeps-slabs",
    invariant: "K4",
    file: "packages/core/src/stream/joined-read.ts",
    from: "this.#cached?.release();",
    to: "",
    harm: "Each read that begins in an object and ends in memory loses memory, until nothing is taken any more.",
  },
  {
    id: "k-leases-kept-on-failure",
    invariant: "K4",
    file: "packages/core/src/stream/stream-reader.ts",
    from: "for (const lease of leases) lease.release();",
    to: "",
    harm: "Each read that fails half-way loses memory.",
  },
  {
    id: "k-overhead-of-refused-appends-kept",
    invariant: "K4",
    file: "packages/core/src/cache/log-cache.ts",
    from: "this.#memory.release(ENTRY_OVERHEAD_BYTES); throw error;",
    to: "throw error;",
    harm: "Each refused append loses memory, until none is taken any more.",
  },
  {
    id: "k-time-lookup-above-the-watermark",
    invariant: "K2",
    file: "packages/core/src/stream/stream-reader.ts",
    from: "entry.endOffset > log.logStartOffset && entry.endOffset <= log.highWatermark;",
    to: "entry.endOffset > log.logStartOffset;",
    harm: "A lookup by time names a record that a crash may still take away.",
  },
  {
    id: "k-failed-prefetch-kept",
    invariant: "K5",
    file: "packages/core/src/cache/lease-cache.ts",
    from: "this.#settle(entry); this.#drop(entry);",
    to: "this.#settle(entry); if (entry.leases > 0) this.#drop(entry);",
    harm: "One lost answer while reading ahead, and a block cannot be read until the process is started anew.",
  },
  {
    id: "k-impatient-reader-keeps-block",
    invariant: "K4",
    file: "packages/core/src/cache/lease-cache.ts",
    from: "catch (error) { this.#release(entry); throw error;",
    to: "catch (error) { if (entry.settled) this.#release(entry); throw error;",
    harm: "Each consumer that breaks off while it waits for an object leaves a block in memory for ever.",
  },
];
