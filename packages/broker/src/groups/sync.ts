import { ErrorCode } from "@karst/kafka-protocol";
import type { Change } from "./change.ts";
import { identityError, type Member, NO_BYTES } from "./group.ts";
import type { SyncEvent } from "./group-event.ts";

/** SyncGroup: the leader's completes the rebalance, everybody's is answered with its assignment. */
export function sync(change: Change, event: SyncEvent): void {
  const { group } = change;
  const { ticket, memberId } = event;
  const error = syncError(change, event);
  const member = group.members.get(memberId);
  if (error !== undefined || member === undefined) {
    change.refuseSync(ticket, error ?? ErrorCode.UNKNOWN_MEMBER_ID);
    return;
  }
  if (group.phase === "Stable") {
    change.putMember({ ...member, synced: true });
    change.acceptSync(ticket, member);
    change.session(memberId, member.sessionTimeoutMs);
    stopTimerIfAllSynced(change);
    return;
  }
  const leads = group.leaderId === memberId;
  if (leads && bytesOf(event.assignments) > change.rules.bytesMax) {
    change.refuseSync(ticket, ErrorCode.UNKNOWN_SERVER_ERROR);
    return;
  }
  // A sync of its that waits already was given up by its client.
  change.refuseWaiting(member, ErrorCode.REBALANCE_IN_PROGRESS);
  change.putMember({ ...member, synced: true, waiting: { tag: "sync", ticket } });
  change.session(memberId, undefined);
  if (leads) assign(change, event.assignments);
}

function syncError(change: Change, event: SyncEvent): number | undefined {
  const { group } = change;
  if (group.phase === "Dead") return ErrorCode.COORDINATOR_NOT_AVAILABLE;
  const identity = identityError(group, event.memberId, event.instanceId);
  if (identity !== undefined) return identity;
  if (event.generation !== group.generation) return ErrorCode.ILLEGAL_GENERATION;
  const { protocolType, protocolName } = event;
  if (protocolType !== null && protocolType !== group.protocolType)
    return ErrorCode.INCONSISTENT_GROUP_PROTOCOL;
  if (protocolName !== null && protocolName !== group.protocolName)
    return ErrorCode.INCONSISTENT_GROUP_PROTOCOL;
  return group.phase === "PreparingRebalance" ? ErrorCode.REBALANCE_IN_PROGRESS : undefined;
}

function bytesOf(assignments: ReadonlyMap<string, Uint8Array>): number {
  let bytes = 0;
  for (const assignment of assignments.values()) bytes += assignment.length;
  return bytes;
}

/** Whom the leader has left out gets nothing. */
function assign(change: Change, assignments: ReadonlyMap<string, Uint8Array>): void {
  const waiting: Member[] = [];
  for (const member of change.group.members.values()) {
    const assignment = assignments.get(member.memberId) ?? NO_BYTES;
    const assigned = { ...member, assignment, waiting: undefined };
    change.putMember(assigned);
    if (member.waiting !== undefined) waiting.push({ ...assigned, waiting: member.waiting });
  }
  change.set({ phase: "Stable" });
  change.emit({ tag: "write" });
  for (const member of waiting) {
    if (member.waiting !== undefined) change.acceptSync(member.waiting.ticket, member);
    change.session(member.memberId, member.sessionTimeoutMs);
  }
  stopTimerIfAllSynced(change);
}

function stopTimerIfAllSynced(change: Change): void {
  for (const member of change.group.members.values()) if (!member.synced) return;
  change.timer(undefined);
}
