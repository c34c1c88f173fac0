import { ErrorCode } from "@karst/kafka-protocol";
import { type Group, type Member, metadataOf, type Ticket } from "./group.ts";
import {
  type GroupEffect,
  type GroupRules,
  type JoinAnswer,
  refusedJoin,
  refusedSync,
} from "./group-event.ts";

/** A transition under way: the group as it is becoming, and what has to be done. The group it began with stays as it was. */
export class Change {
  readonly rules: GroupRules;
  readonly effects: GroupEffect[] = [];
  readonly #members: Map<string, Member>;
  #group: Group;
  #copied = false;

  constructor(group: Group, rules: GroupRules) {
    this.rules = rules;
    this.#group = group;
    this.#members = new Map();
  }

  get group(): Group {
    return this.#group;
  }

  set(patch: Partial<Omit<Group, "members">>): void {
    this.#group = { ...this.#group, ...patch };
  }

  putMember(member: Member): void {
    this.#own().set(member.memberId, member);
  }

  dropMember(memberId: string): void {
    this.#own().delete(memberId);
  }

  addPendingId(memberId: string): void {
    this.set({ pendingIds: new Set([...this.#group.pendingIds, memberId]) });
  }

  /** Whether it was one. */
  dropPendingId(memberId: string): boolean {
    if (!this.#group.pendingIds.has(memberId)) return false;
    const pendingIds = new Set(this.#group.pendingIds);
    pendingIds.delete(memberId);
    this.set({ pendingIds });
    this.session(memberId, undefined);
    return true;
  }

  emit(effect: GroupEffect): void {
    this.effects.push(effect);
  }

  answer(ticket: Ticket, errorCode: number): void {
    this.emit({ tag: "answered", ticket, errorCode });
  }

  session(memberId: string, timeoutMs: number | undefined): void {
    this.emit({ tag: "session", memberId, timeoutMs });
  }

  timer(delayMs: number | undefined): void {
    this.emit({ tag: "timer", delayMs });
  }

  /** Answers what the member waits for with an error. */
  refuseWaiting({ waiting, memberId }: Member, errorCode: number): void {
    if (waiting?.tag === "join") this.refuseJoin(waiting.ticket, memberId, errorCode);
    else if (waiting?.tag === "sync") this.refuseSync(waiting.ticket, errorCode);
  }

  refuseJoin(ticket: Ticket, memberId: string, errorCode: number): void {
    this.emit({ tag: "joined", ticket, answer: refusedJoin(memberId, errorCode) });
  }

  refuseSync(ticket: Ticket, errorCode: number): void {
    this.emit({ tag: "synced", ticket, answer: refusedSync(errorCode) });
  }

  /** Answers a join with the generation that is. */
  acceptJoin(ticket: Ticket, memberId: string, differing: Partial<JoinAnswer> = {}): void {
    const { generation, protocolType, protocolName, leaderId } = this.#group;
    const answer: JoinAnswer = {
      errorCode: ErrorCode.NONE,
      memberId,
      generation,
      protocolType,
      protocolName,
      leaderId: leaderId ?? "",
      skipAssignment: false,
      members: memberId === leaderId ? this.everybody() : [],
      ...differing,
    };
    this.emit({ tag: "joined", ticket, answer });
  }

  acceptSync(ticket: Ticket, member: Member): void {
    const { protocolType, protocolName } = this.#group;
    const { assignment } = member;
    const answer = { errorCode: ErrorCode.NONE, protocolType, protocolName, assignment };
    this.emit({ tag: "synced", ticket, answer });
  }

  everybody(): JoinAnswer["members"] {
    const { members, protocolName } = this.#group;
    return [...members.values()].map((member) => ({
      memberId: member.memberId,
      instanceId: member.instanceId,
      metadata: metadataOf(member, protocolName),
    }));
  }

  #own(): Map<string, Member> {
    if (!this.#copied) {
      this.#copied = true;
      for (const [id, member] of this.#group.members) this.#members.set(id, member);
      this.#group = { ...this.#group, members: this.#members };
    }
    return this.#members;
  }
}
