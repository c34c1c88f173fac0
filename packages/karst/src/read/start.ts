import { coreError, type PartitionLog } from "@karst/core";
import type { ReadFrom } from "../api/topic.ts";
import { karstError } from "../errors.ts";

/** Which partitions a reading reads, from where, and what its positions say of the others. */
export interface ReadPlan {
  readonly partitions: readonly number[];
  /** Whether partitions of the topic are left out on purpose. */
  readonly partial: boolean;
  readonly start: PartitionStart;
}

export type PartitionStart =
  | { readonly tag: "earliest" }
  | { readonly tag: "latest" }
  | { readonly tag: "timestamp"; readonly timestampMs: number }
  | { readonly tag: "offsets"; readonly offsets: ReadonlyMap<number, number> };

/**
 * Decides the plan for a topic of `count` partitions.
 *
 * @param only partitions asked for; undefined: whichever `from` means.
 * @throws KarstError `INVALID_POSITION` (`invalid`), `PARTITION_NOT_FOUND` (`not_found`).
 */
export function planRead(
  topic: string,
  count: number,
  from: ReadFrom,
  only: readonly number[] | undefined,
): ReadPlan {
  const start = startOf(topic, count, from);
  const named = only ?? partitionsOf(from, start) ?? Array.from({ length: count }, (_, i) => i);
  const partitions = [...new Set(named)].sort((a, b) => a - b);
  if (partitions.length === 0) throw karstError("INVALID_POSITION", "no partitions are to be read");
  for (const partition of partitions) checkPartition(topic, count, partition);
  return { partitions, partial: partitions.length < count, start };
}

/**
 * The offset at which a partition's reading begins.
 *
 * @param end the bound of what may be read now.
 * @throws KarstError `OFFSET_OUT_OF_RANGE` (`out_of_range`).
 */
export async function startOffset(
  log: PartitionLog,
  start: PartitionStart,
  end: number,
): Promise<number> {
  switch (start.tag) {
    case "earliest":
      return log.logStartOffset;
    case "latest":
      return end;
    case "timestamp":
      return (await log.offsetForTimestamp(start.timestampMs))?.offset ?? end;
    case "offsets": {
      const offset = start.offsets.get(log.partition);
      if (offset === undefined) return log.logStartOffset;
      if (offset >= log.logStartOffset && offset <= log.highWatermark) return offset;
      throw coreError(
        "OFFSET_OUT_OF_RANGE",
        `partition ${log.partition} can be read from ${log.logStartOffset} to ${log.highWatermark}, not from ${offset}`,
      );
    }
  }
}

function startOf(topic: string, count: number, from: ReadFrom): PartitionStart {
  if (from === "earliest" || from === "latest") return { tag: from };
  if (typeof from !== "object" || from === null) throw unknownStart(from);
  if ("timestamp" in from) {
    const timestampMs = Number(from.timestamp);
    if (Number.isSafeInteger(timestampMs)) return { tag: "timestamp", timestampMs };
    throw karstError("INVALID_POSITION", `timestamp ${String(from.timestamp)} is no time`);
  }
  if ("offset" in from) {
    const partition = from.partition ?? (count === 1 ? 0 : undefined);
    if (partition === undefined) {
      throw karstError(
        "INVALID_POSITION",
        `topic "${topic}" has ${count} partitions: an offset needs a partition`,
      );
    }
    return { tag: "offsets", offsets: new Map([[partition, checkOffset(from.offset)]]) };
  }
  if (typeof from.offsets !== "object" || from.offsets === null) throw unknownStart(from);
  const entries = Object.entries(from.offsets).map(
    ([partition, offset]) => [Number(partition), checkOffset(offset)] as const,
  );
  for (const [partition] of entries) checkPartition(topic, count, partition);
  return { tag: "offsets", offsets: new Map(entries) };
}

/** The partitions that a start alone means; undefined: all. */
function partitionsOf(from: ReadFrom, start: PartitionStart): readonly number[] | undefined {
  if (start.tag !== "offsets" || typeof from !== "object") return undefined;
  return "offset" in from || ("others" in from && from.others === "skip")
    ? [...start.offsets.keys()]
    : undefined;
}

function checkOffset(offset: number): number {
  if (Number.isSafeInteger(offset) && offset >= 0) return offset;
  throw karstError("INVALID_POSITION", `${String(offset)} is no offset`);
}

function checkPartition(topic: string, count: number, partition: number): void {
  if (Number.isInteger(partition) && partition >= 0 && partition < count) return;
  throw coreError(
    "PARTITION_NOT_FOUND",
    `topic "${topic}" has ${count} partitions, from 0; there is no ${partition}`,
  );
}

function unknownStart(from: unknown): Error {
  return karstError(
    "INVALID_POSITION",
    `from ${JSON.stringify(from)}: give "earliest", "latest", { timestamp }, { offset, partition } or positions`,
  );
}
