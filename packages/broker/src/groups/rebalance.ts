import { ErrorCode } from "@karst/kafka-protocol";
import { GROUP_RETRY_MS } from "../limits.ts";
import type { Change } from "./change.ts";
import { type Member, NO_BYTES, rebalanceTimeoutMs } from "./group.ts";
import { chooseProtocol } from "./protocol-choice.ts";

/*
 * A rebalance: from PreparingRebalance, in which everybody joins again, to CompletingRebalance, in which the leader assigns, or to Empty.
 */

/** Everybody has to join again. Where that is so already, it may be complete now. */
export function prepareRebalance(change: Change): void {
  const { group, rules } = change;
  if (group.phase === "PreparingRebalance") {
    completeIfAllJoined(change);
    return;
  }
  if (group.phase === "Empty" && rules.initialRebalanceDelayMs > 0) {
    const leftMs = Math.max(0, rebalanceTimeoutMs(group) - rules.initialRebalanceDelayMs);
    change.set({ phase: "PreparingRebalance", gathering: { leftMs, grown: false } });
    change.timer(rules.initialRebalanceDelayMs);
    return;
  }
  for (const member of group.members.values()) {
    if (member.waiting?.tag !== "sync") continue;
    change.refuseWaiting(member, ErrorCode.REBALANCE_IN_PROGRESS);
    change.putMember({ ...member, waiting: undefined });
    change.session(member.memberId, member.sessionTimeoutMs);
  }
  change.set({ phase: "PreparingRebalance", gathering: undefined });
  change.timer(rebalanceTimeoutMs(change.group));
  completeIfAllJoined(change);
}

/** Completes the joining where nobody is missing. The wait for a group's first members is not cut short, unless nobody is there. */
export function completeIfAllJoined(change: Change): void {
  const { phase, members, pendingIds, gathering } = change.group;
  if (phase !== "PreparingRebalance") return;
  if (pendingIds.size > 0 || gathering !== undefined) return;
  else if ([...members.values()].every(isJoining)) completeJoin(change);
}

/** The joining has taken as long as it may. */
export function endJoin(change: Change): void {
  const { gathering } = change.group;
  if (gathering !== undefined && gathering.grown && gathering.leftMs > 0) {
    const delayMs = Math.min(change.rules.initialRebalanceDelayMs, gathering.leftMs);
    change.set({ gathering: { leftMs: gathering.leftMs - delayMs, grown: false } });
    change.timer(delayMs);
    return;
  }
  completeJoin(change);
}

/** The assignment has taken as long as it may: who has not asked for its own is gone. */
export function endSync(change: Change): void {
  const silent = [...change.group.members.values()].filter(({ synced }) => !synced);
  for (const member of silent) removeMember(change, member, ErrorCode.UNKNOWN_MEMBER_ID);
  if (silent.length > 0) afterRemoval(change);
}

function isJoining(member: Member): boolean {
  return member.waiting?.tag === "join";
}

/** Whoever is there makes the next generation. Static members that are not keep their place, dynamic ones do not. */
function completeJoin(change: Change): void {
  for (const member of change.group.members.values()) {
    if (!isJoining(member) && member.instanceId === null)
      removeMember(change, member, ErrorCode.UNKNOWN_MEMBER_ID);
  }
  const members = [...change.group.members.values()];
  if (members.length === 0) {
    becomeEmpty(change);
    return;
  }
  const leader =
    members.find((member) => isJoining(member) && member.memberId === change.group.leaderId) ??
    members.find(isJoining);
  if (leader === undefined) {
    // Static members alone, and all of them away: until they come or their sessions end.
    change.timer(Math.max(GROUP_RETRY_MS, rebalanceTimeoutMs(change.group)));
    return;
  }
  for (const member of members)
    change.putMember({ ...member, assignment: NO_BYTES, synced: false, waiting: undefined });
  change.set({
    phase: "CompletingRebalance",
    generation: change.group.generation + 1,
    protocolName: chooseProtocol(change.group.members),
    leaderId: leader.memberId,
    gathering: undefined,
  });
  change.emit({ tag: "write" });
  change.timer(rebalanceTimeoutMs(change.group));
  for (const { memberId, sessionTimeoutMs, waiting } of members) {
    if (waiting?.tag !== "join") continue;
    change.acceptJoin(waiting.ticket, memberId);
    change.session(memberId, sessionTimeoutMs);
  }
}

function becomeEmpty(change: Change): void {
  change.set({
    phase: "Empty",
    generation: change.group.generation + 1,
    protocolName: undefined,
    leaderId: undefined,
    gathering: undefined,
    emptySinceMs: change.rules.nowMs,
  });
  change.timer(undefined);
  change.emit({ tag: "write" });
}

/** What it waits for is answered with the error. `afterRemoval` must follow. */
export function removeMember(change: Change, member: Member, errorCode: number): void {
  change.refuseWaiting(member, errorCode);
  change.session(member.memberId, undefined);
  change.dropMember(member.memberId);
  if (change.group.leaderId === member.memberId) change.set({ leaderId: undefined });
}

/** The group goes on without those that were removed. */
export function afterRemoval(change: Change): void {
  if (change.group.members.size === 0) becomeEmpty(change);
  else prepareRebalance(change);
  // That they are gone outlives us, as what they were told does.
  change.emit({ tag: "write" });
}
