import { ErrorCode } from "@karst/kafka-protocol";
import { Change } from "./change.ts";
import { type Group, identityError, memberOfInstance } from "./group.ts";
import type { GroupEffect, GroupEvent, GroupRules } from "./group-event.ts";
import { join } from "./join.ts";
import { afterRemoval, completeIfAllJoined, endJoin, endSync, removeMember } from "./rebalance.ts";
import { sync } from "./sync.ts";

/** What a group becomes, and what has to be done. Pure: the group that is given stays as it was. */
export function transition(
  group: Group,
  event: GroupEvent,
  rules: GroupRules,
): { readonly group: Group; readonly effects: readonly GroupEffect[] } {
  const change = new Change(group, rules);
  apply(change, event);
  return { group: change.group, effects: change.effects };
}

function apply(change: Change, event: GroupEvent): void {
  switch (event.tag) {
    case "join":
      join(change, event);
      break;
    case "sync":
      sync(change, event);
      break;
    case "heartbeat":
      heartbeat(change, event);
      break;
    case "leave":
      leave(change, event);
      break;
    case "touched":
      touch(change, event.memberId);
      break;
    case "abandoned":
      abandon(change, event);
      break;
    case "session-expired":
      expire(change, event.memberId);
      break;
    case "rebalance-timeout":
      if (change.group.phase === "PreparingRebalance") endJoin(change);
      else endSync(change);
      break;
    case "delete":
      remove(change, event);
      break;
  }
}

function heartbeat(change: Change, event: Extract<GroupEvent, { tag: "heartbeat" }>): void {
  const { group } = change;
  const error = heartbeatError(group, event);
  if (error === undefined) touch(change, event.memberId);
  const rebalancing = group.phase === "PreparingRebalance";
  change.answer(
    event.ticket,
    error ?? (rebalancing ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE),
  );
}

function heartbeatError(
  group: Group,
  event: Extract<GroupEvent, { tag: "heartbeat" }>,
): number | undefined {
  if (group.phase === "Dead") return ErrorCode.COORDINATOR_NOT_AVAILABLE;
  const identity = identityError(group, event.memberId, event.instanceId);
  if (identity !== undefined) return identity;
  return event.generation === group.generation ? undefined : ErrorCode.ILLEGAL_GENERATION;
}

/** Its session begins anew, unless it waits for an answer. */
function touch(change: Change, memberId: string): void {
  const member = change.group.members.get(memberId);
  if (member !== undefined && member.waiting === undefined)
    change.session(memberId, member.sessionTimeoutMs);
}

function leave(change: Change, event: Extract<GroupEvent, { tag: "leave" }>): void {
  const { group } = change;
  const { ticket, instanceId } = event;
  if (group.phase === "Dead") {
    change.answer(ticket, ErrorCode.COORDINATOR_NOT_AVAILABLE);
    return;
  }
  // Without a member id: an administrator removes whoever holds the instance id.
  const holder =
    event.memberId === "" && instanceId !== null ? memberOfInstance(group, instanceId) : undefined;
  const memberId = holder?.memberId ?? event.memberId;
  if (instanceId === null && change.dropPendingId(memberId)) {
    completeIfAllJoined(change);
    change.answer(ticket, ErrorCode.NONE);
    return;
  }
  const error = identityError(group, memberId, instanceId);
  const member = group.members.get(memberId);
  if (error !== undefined || member === undefined) {
    change.answer(ticket, error ?? ErrorCode.UNKNOWN_MEMBER_ID);
    return;
  }
  removeMember(change, member, ErrorCode.UNKNOWN_MEMBER_ID);
  afterRemoval(change);
  change.answer(ticket, ErrorCode.NONE);
}

/** It stays a member until its session ends: it may come back on another connection. Its request counts as not made. */
function abandon(change: Change, event: Extract<GroupEvent, { tag: "abandoned" }>): void {
  const member = change.group.members.get(event.memberId);
  if (member === undefined || member.waiting?.ticket !== event.ticket) return;
  change.refuseWaiting(member, ErrorCode.REBALANCE_IN_PROGRESS);
  const synced = member.waiting.tag === "sync" ? false : member.synced;
  change.putMember({ ...member, synced, waiting: undefined });
  change.session(member.memberId, member.sessionTimeoutMs);
}

function expire(change: Change, memberId: string): void {
  if (change.dropPendingId(memberId)) {
    completeIfAllJoined(change);
    return;
  }
  const member = change.group.members.get(memberId);
  if (member === undefined || member.waiting !== undefined) return;
  removeMember(change, member, ErrorCode.UNKNOWN_MEMBER_ID);
  afterRemoval(change);
}

function remove(change: Change, { ticket }: Extract<GroupEvent, { tag: "delete" }>): void {
  const { group } = change;
  if (group.phase !== "Empty") {
    const dead = group.phase === "Dead";
    change.answer(ticket, dead ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.NON_EMPTY_GROUP);
    return;
  }
  for (const memberId of group.pendingIds) change.dropPendingId(memberId);
  change.set({ phase: "Dead" });
  change.emit({ tag: "forget" });
  change.answer(ticket, ErrorCode.NONE);
}

/** Why offsets of whoever says this are not taken; undefined: they are. */
export function commitError(
  group: Group,
  by: {
    readonly memberId: string;
    readonly instanceId: string | null;
    readonly generation: number;
  },
): number | undefined {
  const { memberId, instanceId, generation } = by;
  if (group.phase === "Dead") return ErrorCode.COORDINATOR_NOT_AVAILABLE;
  // Whoever does not let the group assign partitions: a consumer with its own, an administrator.
  if (generation < 0 && group.phase === "Empty") return undefined;
  if (generation < 0 && memberId === "" && instanceId === null) return ErrorCode.UNKNOWN_MEMBER_ID;
  const identity = identityError(group, memberId, instanceId);
  if (identity !== undefined) return identity;
  if (generation !== group.generation) return ErrorCode.ILLEGAL_GENERATION;
  return group.phase === "CompletingRebalance" ? ErrorCode.REBALANCE_IN_PROGRESS : undefined;
}
