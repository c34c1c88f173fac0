import type { Mutant } from "./mutant.ts";

export const platformMutants: readonly Mutant[] = [
  {
    id: "pl-blocks-kept-at-close",
    invariant: "PL4",
    file: "packages/core/src/engine-instance.ts",
    from: "objects.clear();",
    to: "",
    harm: "An application that closes and opens engines runs out of its memory budget.",
  },
  {
    id: "pl-indexes-kept-at-close",
    invariant: "PL4",
    file: "packages/core/src/cache/object-reads.ts",
    from: "this.#blocks.clear(); this.#indexes.clear();",
    to: "this.#blocks.clear();",
    harm: "An application that closes and opens engines runs out of its memory budget.",
  },
  {
    id: "pl-destroyed-before-drained",
    invariant: "PL1",
    file: "packages/core/src/engine-instance.ts",
    from: "const trim = wal.endPosition;",
    to: "const trim = wal.endPosition; await wal.destroy().catch(() => undefined);",
    harm: "A crash while closing leaves a node that waits for ever for a WAL that is gone.",
  },
  {
    id: "pl-skipped-frame-kept",
    invariant: "PL4",
    file: "packages/core/src/recovery/frame-recovery.ts",
    from: "frame.slab.release(); this.#skipped += 1;",
    to: "this.#skipped += 1;",
    harm: "Each restart with something in the WAL that is in objects already leaves less memory.",
  },
  {
    id: "pl-prefetch-not-given-back",
    invariant: "PL4",
    file: "packages/core/src/cache/lease-cache.ts",
    from: "entry.settled = true; this.#freeIfUnused(entry);",
    to: "entry.settled = true;",
    harm: "An engine closed while it reads ahead keeps the memory for ever.",
  },
];
