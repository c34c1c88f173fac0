import { ErrorCode } from "@karst/kafka-protocol";

/** Kafka's names, as ListGroups and DescribeGroups give them. */
export type GroupPhase = "Empty" | "PreparingRebalance" | "CompletingRebalance" | "Stable" | "Dead";

/** Names a request that waits for its answer; never reused by a coordinator. */
export type Ticket = number;

export interface MemberProtocol {
  readonly name: string;
  readonly metadata: Uint8Array;
}

export interface Member {
  readonly memberId: string;
  /** null: a dynamic member. */
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** In order of preference. */
  readonly protocols: readonly MemberProtocol[];
  /** Of this generation; empty before the leader has given it. */
  readonly assignment: Uint8Array;
  /** Has asked for its assignment in this generation. */
  readonly synced: boolean;
  /** The request of its that is not answered. While there is one it is alive, and its session does not run. */
  readonly waiting: { readonly tag: "join" | "sync"; readonly ticket: Ticket } | undefined;
}

/**
 * A classic consumer group. A value: `transition` makes the next one.
 *
 * Invariants, checked by the property test: Empty and Dead have no members, all other phases have some. A join
 * waits in PreparingRebalance alone, a sync in CompletingRebalance alone. In CompletingRebalance and Stable the leader is a member and
 * every member supports the protocol.
 */
export interface Group {
  readonly groupId: string;
  readonly phase: GroupPhase;
  /** 0 before the first. Grows by one with each; -1 is what clients outside of any generation say. */
  readonly generation: number;
  /** Stays after the last member has left. "": nobody ever joined. */
  readonly protocolType: string;
  /** undefined: none has been chosen for the members of now. */
  readonly protocolName: string | undefined;
  readonly leaderId: string | undefined;
  /** By member id, in the order in which they came. */
  readonly members: ReadonlyMap<string, Member>;
  /** Ids that were given out and have not joined yet. */
  readonly pendingIds: ReadonlySet<string>;
  /** The wait for the first members of a group that was Empty. */
  readonly gathering:
    | {
        /** How much longer it may be prolonged. */
        readonly leftMs: number;
        /** A member came since it was begun or prolonged. */
        readonly grown: boolean;
      }
    | undefined;
  /** Wall clock, milliseconds since 1970; of use while Empty. */
  readonly emptySinceMs: number;
}

export const NO_BYTES: Uint8Array = new Uint8Array(0);

export function emptyGroup(groupId: string, nowMs: number): Group {
  return {
    groupId,
    phase: "Empty",
    generation: 0,
    protocolType: "",
    protocolName: undefined,
    leaderId: undefined,
    members: new Map(),
    pendingIds: new Set(),
    gathering: undefined,
    emptySinceMs: nowMs,
  };
}

/** The member that holds a static instance id. */
export function memberOfInstance(group: Group, instanceId: string): Member | undefined {
  for (const member of group.members.values()) if (member.instanceId === instanceId) return member;
  return undefined;
}

/** Why whoever says that it is this member is not; undefined: it is. */
export function identityError(
  group: Group,
  memberId: string,
  instanceId: string | null,
): number | undefined {
  const member = group.members.get(memberId);
  if (instanceId === null || member?.instanceId === instanceId)
    return member === undefined ? ErrorCode.UNKNOWN_MEMBER_ID : undefined;
  return memberOfInstance(group, instanceId) === undefined
    ? ErrorCode.UNKNOWN_MEMBER_ID
    : ErrorCode.FENCED_INSTANCE_ID;
}

/** Longest time that a member may take to join again. */
export function rebalanceTimeoutMs(group: Group): number {
  let longestMs = 0;
  for (const member of group.members.values())
    longestMs = Math.max(longestMs, member.rebalanceTimeoutMs);
  return longestMs;
}

/** A member's metadata under the chosen protocol. */
export function metadataOf(member: Member, protocolName: string | undefined): Uint8Array {
  return member.protocols.find(({ name }) => name === protocolName)?.metadata ?? NO_BYTES;
}
