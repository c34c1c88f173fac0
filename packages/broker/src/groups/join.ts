import { ErrorCode } from "@karst/kafka-protocol";
import type { Change } from "./change.ts";
import { identityError, type Member, memberOfInstance, NO_BYTES } from "./group.ts";
import type { JoinEvent } from "./group-event.ts";
import { chooseProtocol, fitsProtocols, sameProtocols } from "./protocol-choice.ts";
import { completeIfAllJoined, prepareRebalance } from "./rebalance.ts";

/** JoinGroup: the order of the decisions is Kafka's. */
export function join(change: Change, event: JoinEvent): void {
  const { group } = change;
  const refuse = (errorCode: number): void =>
    change.refuseJoin(event.ticket, event.memberId, errorCode);
  if (group.phase === "Dead") {
    refuse(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    return;
  }
  const holder = event.instanceId === null ? undefined : memberOfInstance(group, event.instanceId);
  const before = event.memberId === "" ? holder : group.members.get(event.memberId);
  if (isFull(change, event, before)) {
    change.dropPendingId(event.memberId);
    refuse(ErrorCode.GROUP_MAX_SIZE_REACHED);
  } else if (!fitsProtocols(group, before?.memberId ?? "", event.protocolType, event.protocols)) {
    refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  } else if (event.memberId !== "") {
    joinAgain(change, event, refuse);
  } else if (holder !== undefined) {
    replaceStatic(change, holder, event);
  } else if (event.instanceId === null && event.idRequired) {
    change.addPendingId(event.freshMemberId);
    change.session(event.freshMemberId, event.sessionTimeoutMs);
    change.refuseJoin(event.ticket, event.freshMemberId, ErrorCode.MEMBER_ID_REQUIRED);
  } else {
    add(change, event.freshMemberId, event);
  }
}

function isFull(change: Change, event: JoinEvent, before: Member | undefined): boolean {
  const { members, pendingIds } = change.group;
  const { membersMax, bytesMax } = change.rules;
  const isPending = pendingIds.has(event.memberId);
  if (before === undefined) {
    if (members.size >= membersMax) return true;
    if (!isPending && pendingIds.size >= membersMax) return true;
  }
  let bytes = bytesOf(event.protocols);
  for (const member of members.values()) if (member !== before) bytes += bytesOf(member.protocols);
  return bytes > bytesMax;
}

function bytesOf(protocols: Member["protocols"]): number {
  let bytes = 0;
  for (const { name, metadata } of protocols) bytes += name.length + metadata.length;
  return bytes;
}

function joinAgain(change: Change, event: JoinEvent, refuse: (errorCode: number) => void): void {
  const { group } = change;
  const { memberId, ticket } = event;
  if (event.instanceId === null && change.dropPendingId(memberId)) {
    add(change, memberId, event);
    return;
  }
  const error = identityError(group, memberId, event.instanceId);
  const member = group.members.get(memberId);
  if (error !== undefined || member === undefined) {
    refuse(error ?? ErrorCode.UNKNOWN_MEMBER_ID);
    return;
  }
  const settled = group.phase === "Stable" || group.phase === "CompletingRebalance";
  const same = sameProtocols(member.protocols, event.protocols);
  // A leader of a stable group that joins again wants to assign anew.
  const leads = group.phase === "Stable" && group.leaderId === memberId;
  if (settled && same && !leads) {
    change.acceptJoin(ticket, memberId);
    if (member.waiting === undefined) change.session(memberId, member.sessionTimeoutMs);
    return;
  }
  park(change, { ...member, ...saidBy(event) }, event);
  prepareRebalance(change);
}

function add(change: Change, memberId: string, event: JoinEvent): void {
  const { gathering, members } = change.group;
  if (members.size === 0) change.set({ protocolType: event.protocolType });
  if (gathering !== undefined) change.set({ gathering: { ...gathering, grown: true } });
  const { instanceId } = event;
  const member = { memberId, instanceId, ...saidBy(event) };
  park(change, { ...member, assignment: NO_BYTES, synced: false, waiting: undefined }, event);
  prepareRebalance(change);
}

/** The process behind a static member was started anew: the one before is fenced. Where nothing else changes, nobody else notices. */
function replaceStatic(change: Change, old: Member, event: JoinEvent): void {
  const { group } = change;
  const memberId = event.freshMemberId;
  change.refuseWaiting(old, ErrorCode.FENCED_INSTANCE_ID);
  change.session(old.memberId, undefined);
  change.dropMember(old.memberId);
  const member: Member = { ...old, ...saidBy(event), memberId, waiting: undefined };
  change.putMember(member);
  if (group.leaderId === old.memberId) change.set({ leaderId: memberId });
  change.emit({ tag: "write" });
  if (group.phase === "Stable" && chooseProtocol(change.group.members) === group.protocolName) {
    const leads = change.group.leaderId === memberId;
    // Who does not know that a leader may have nothing to assign is not told that it leads.
    change.acceptJoin(
      event.ticket,
      memberId,
      event.canSkipAssignment
        ? { skipAssignment: leads }
        : { leaderId: group.leaderId ?? "", members: [] },
    );
    change.session(memberId, member.sessionTimeoutMs);
    return;
  }
  park(change, member, event);
  if (group.phase === "PreparingRebalance") completeIfAllJoined(change);
  else prepareRebalance(change);
}

/** The member waits for the next generation. A join of its that waits already was given up by its client. */
function park(change: Change, member: Member, { ticket }: JoinEvent): void {
  change.refuseWaiting(member, ErrorCode.REBALANCE_IN_PROGRESS);
  change.putMember({ ...member, waiting: { tag: "join", ticket } });
  change.session(member.memberId, undefined);
}

function saidBy(event: JoinEvent): {
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocols: Member["protocols"];
} {
  const { clientId, clientHost, sessionTimeoutMs, rebalanceTimeoutMs, protocols } = event;
  return { clientId, clientHost, sessionTimeoutMs, rebalanceTimeoutMs, protocols };
}
