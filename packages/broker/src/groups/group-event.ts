import { type MemberProtocol, NO_BYTES, type Ticket } from "./group.ts";

export interface JoinEvent {
  readonly tag: "join";
  readonly ticket: Ticket;
  /** "": it has none yet. */
  readonly memberId: string;
  /** What it shall be called where it has no id. Never given out before. */
  readonly freshMemberId: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocolType: string;
  readonly protocols: readonly MemberProtocol[];
  /** Whether a dynamic member without an id gets one and has to come again (from v4 of JoinGroup). */
  readonly idRequired: boolean;
  /** Whether it understands that a leader may have nothing to assign (from v9). */
  readonly canSkipAssignment: boolean;
}

export interface SyncEvent {
  readonly tag: "sync";
  readonly ticket: Ticket;
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly generation: number;
  /** null: not said. */
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignments: ReadonlyMap<string, Uint8Array>;
}

/** What happens to a group. */
export type GroupEvent =
  | JoinEvent
  | SyncEvent
  | {
      readonly tag: "heartbeat";
      readonly ticket: Ticket;
      readonly memberId: string;
      readonly instanceId: string | null;
      readonly generation: number;
    }
  /** Member id "": whoever has the instance id. */
  | {
      readonly tag: "leave";
      readonly ticket: Ticket;
      readonly memberId: string;
      readonly instanceId: string | null;
    }
  /** It did something that shows that it is alive. */
  | { readonly tag: "touched"; readonly memberId: string }
  /** Nobody waits for the answer any more: its connection is gone. */
  | { readonly tag: "abandoned"; readonly memberId: string; readonly ticket: Ticket }
  | { readonly tag: "session-expired"; readonly memberId: string }
  /** The timer of the last `timer` effect is due. */
  | { readonly tag: "rebalance-timeout" }
  | { readonly tag: "delete"; readonly ticket: Ticket };

export interface JoinAnswer {
  readonly errorCode: number;
  readonly memberId: string;
  readonly generation: number;
  readonly protocolType: string | undefined;
  readonly protocolName: string | undefined;
  /** "": none. */
  readonly leaderId: string;
  readonly skipAssignment: boolean;
  /** Everybody, for the leader alone. */
  readonly members: readonly {
    readonly memberId: string;
    readonly instanceId: string | null;
    readonly metadata: Uint8Array;
  }[];
}

export interface SyncAnswer {
  readonly errorCode: number;
  readonly protocolType: string | undefined;
  readonly protocolName: string | undefined;
  readonly assignment: Uint8Array;
}

export function refusedJoin(memberId: string, errorCode: number): JoinAnswer {
  return {
    errorCode,
    memberId,
    generation: -1,
    protocolType: undefined,
    protocolName: undefined,
    leaderId: "",
    skipAssignment: false,
    members: [],
  };
}

export function refusedSync(errorCode: number): SyncAnswer {
  return { errorCode, protocolType: undefined, protocolName: undefined, assignment: NO_BYTES };
}

/** What has to be done because of it, in order. */
export type GroupEffect =
  | { readonly tag: "joined"; readonly ticket: Ticket; readonly answer: JoinAnswer }
  | { readonly tag: "synced"; readonly ticket: Ticket; readonly answer: SyncAnswer }
  | { readonly tag: "answered"; readonly ticket: Ticket; readonly errorCode: number }
  /** The member's session begins anew; undefined: it does not run. Of an id that has not joined: how long it may take to. */
  | {
      readonly tag: "session";
      readonly memberId: string;
      readonly timeoutMs: number | undefined;
    }
  /** The group's one timer; undefined: it is stopped. */
  | { readonly tag: "timer"; readonly delayMs: number | undefined }
  /** The group as it is now has to be on record before any answer leaves. */
  | { readonly tag: "write" }
  /** Nothing is to be left of it on record. */
  | { readonly tag: "forget" };

/** What transitions need to know beside group and event. */
export interface GroupRules {
  readonly nowMs: number;
  readonly initialRebalanceDelayMs: number;
  /** Members of a group; ids that have not joined yet are as many at most. */
  readonly membersMax: number;
  /** Bytes of all members' metadata, and of all their assignments. */
  readonly bytesMax: number;
}
