import type { Engine, Topics } from "@karst/core";
import { type Clock, isKarstError, type Logger } from "@karst/runtime";
import { SWEEP_CHANGES_PER_WRITE, SWEEP_GROUPS_PER_TURN } from "../limits.ts";
import type { Group } from "./group.ts";
import type { GroupEntry } from "./group-entry.ts";
import type { GroupOffsets, PartitionOffset } from "./group-offsets.ts";
import type { LiveGroups } from "./live-groups.ts";

/**
 * Whether an offset may go: its topic is gone, or nobody has needed it for the time of retention. The offsets of a group with members
 * never expire.
 */
export function isExpired(
  group: Group,
  { topicId, committed }: PartitionOffset,
  rules: {
    readonly nowMs: number;
    readonly retentionMs: number;
    readonly exists: (topicId: string) => boolean;
  },
): boolean {
  if (!rules.exists(topicId)) return true;
  if (group.phase !== "Empty" || group.pendingIds.size > 0) return false;
  // Groups that nobody joins are used for as long as somebody commits.
  const sinceMs =
    group.protocolType === ""
      ? committed.committedMs
      : Math.max(committed.committedMs, group.emptySinceMs);
  return rules.nowMs - sinceMs >= rules.retentionMs;
}

/** Whether nothing is left of a group but its name. */
export function isAbandoned(group: Group, offsets: GroupOffsets): boolean {
  return group.phase === "Empty" && group.pendingIds.size === 0 && offsets.isEmpty;
}

export interface SweepOptions {
  readonly groups: LiveGroups;
  readonly engine: Engine;
  readonly topics: Topics;
  readonly clock: Clock;
  readonly log: Logger;
  readonly retentionMs: number;
  readonly signal: AbortSignal;
}

/** Looks at every group once, some in each turn. What cannot be written now is found again by the next search. */
export async function sweepOffsets(options: SweepOptions): Promise<void> {
  const { groups, engine, clock, log, signal } = options;
  try {
    // A topic that this image does not know yet would look like one that is gone.
    await engine.catalogue.refresh();
    let seen = 0;
    for (const entry of groups.entries) {
      if (signal.aborted) return;
      await sweepOne(entry, options);
      seen += 1;
      if (seen % SWEEP_GROUPS_PER_TURN === 0)
        await new Promise<void>((resolve) => clock.defer(resolve));
    }
  } catch (error) {
    if (signal.aborted) return;
    log.warn("offsets-sweep-failed", {
      reason: isKarstError(error) ? error.message : String(error),
    });
  }
}

async function sweepOne(entry: GroupEntry, options: SweepOptions): Promise<void> {
  const { groups, topics, clock, retentionMs, signal } = options;
  const rules = {
    nowMs: clock.wallMs(),
    retentionMs,
    exists: (topicId: string) => topics.byId(topicId) !== undefined,
  };
  const expired = [...entry.offsets.entries()].filter((one) => isExpired(entry.group, one, rules));
  for (let at = 0; at < expired.length && !signal.aborted; at += SWEEP_CHANGES_PER_WRITE) {
    // They may have been committed again while the ones before were written.
    const still = expired
      .slice(at, at + SWEEP_CHANGES_PER_WRITE)
      .filter(
        (one) =>
          entry.offsets.get(one.topicId, one.partition) === one.committed &&
          isExpired(entry.group, one, rules),
      );
    if (still.length > 0) await groups.deleteOffsets(entry.groupId, still);
  }
  if (!signal.aborted && isAbandoned(entry.group, entry.offsets))
    await groups.delete(entry.groupId);
}
