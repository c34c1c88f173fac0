import type { Mutant } from "./mutant.ts";

export const walMutants: readonly Mutant[] = [
  {
    id: "w-trim-at-durable-position",
    invariant: "W9",
    file: "packages/core/src/upload/uploader.ts",
    from: "trim: generation.endPosition,",
    to: "trim: wal.durablePosition,",
    harm: "What was appended during an upload is trimmed from the WAL with it, and a crash loses it.",
  },
  {
    id: "w-trim-before-commit",
    invariant: "W9",
    file: "packages/core/src/upload/uploader.ts",
    from: "const published = await this.#publish(generation, written);",
    to: "await this.#trim(generation); const published = await this.#publish(generation, written);",
    harm: "A crash between the trim and the commit leaves a WAL with a hole, and the engine never opens again.",
  },
  {
    id: "w-upload-of-what-is-not-durable",
    invariant: "W2",
    file: "packages/core/src/upload/uploader.ts",
    from: "await durability.reached(generation.endPosition);",
    to: "await durability.reached(cache.openBytes > 0 ? durability.position : generation.endPosition);",
    harm: "Under load an upload carries records that a power cut takes from the WAL, which then is behind the catalogue.",
  },
  {
    id: "w-no-room-for-mark",
    invariant: "W5",
    file: "packages/wal/src/segment-plan.ts",
    from: "return capacity - used - MARK_BYTES;",
    to: "return capacity - used;",
    harm: "A segment filled to its last byte grows by a watermark, and the next start reports that the log is damaged.",
    worlds: ["wal", "log"],
  },
  {
    id: "w-backlog-checked-without-the-batch",
    invariant: "W10",
    file: "packages/core/src/stream/appender.ts",
    from: "cache.unuploadedBytes + entryBytes > limits.unuploadedBytesMax",
    to: "cache.unuploadedBytes > limits.unuploadedBytesMax",
    harm: "While the object store is away the backlog grows over its limit.",
    worlds: ["log", "cluster"],
  },
];
