import { utf8Encode } from "@karst/runtime";
import { emptyGroup, type Group, type Ticket } from "../../src/groups/group.ts";
import type {
  GroupEffect,
  GroupEvent,
  GroupRules,
  JoinEvent,
  SyncEvent,
} from "../../src/groups/group-event.ts";
import { transition } from "../../src/groups/transition.ts";

export const RULES: GroupRules = {
  nowMs: 1_000,
  initialRebalanceDelayMs: 0,
  membersMax: 10,
  bytesMax: 10_000,
};

/** A group, what was asked of it, and what came of it. */
export class GroupBuilder {
  group: Group = emptyGroup("g", 0);
  rules: GroupRules = RULES;
  /** Of the last event. */
  effects: readonly GroupEffect[] = [];
  readonly #answers = new Map<Ticket, Extract<GroupEffect, { ticket: Ticket }>>();
  #ticket = 0;

  apply(event: GroupEvent): this {
    const next = transition(this.group, event, this.rules);
    this.group = next.group;
    this.effects = next.effects;
    for (const effect of next.effects) {
      if (!("ticket" in effect)) continue;
      if (this.#answers.has(effect.ticket)) throw new Error(`${effect.ticket} is answered twice`);
      this.#answers.set(effect.ticket, effect);
    }
    return this;
  }

  ticket(): Ticket {
    return (this.#ticket += 1);
  }

  /** @returns the ticket. */
  join(memberId: string, options: Partial<JoinEvent> = {}): Ticket {
    const ticket = this.ticket();
    this.apply({
      tag: "join",
      ticket,
      memberId,
      freshMemberId: `fresh-${ticket}`,
      instanceId: null,
      clientId: "client",
      clientHost: "/127.0.0.1",
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 60_000,
      protocolType: "consumer",
      protocols: [{ name: "range", metadata: utf8Encode("topics") }],
      idRequired: false,
      canSkipAssignment: true,
      ...options,
    });
    return ticket;
  }

  sync(memberId: string, options: Partial<SyncEvent> = {}): Ticket {
    const ticket = this.ticket();
    this.apply({
      tag: "sync",
      ticket,
      memberId,
      instanceId: null,
      generation: this.group.generation,
      protocolType: null,
      protocolName: null,
      assignments: new Map(),
      ...options,
    });
    return ticket;
  }

  heartbeat(memberId: string, generation: number = this.group.generation): number | undefined {
    const ticket = this.ticket();
    this.apply({ tag: "heartbeat", ticket, memberId, instanceId: null, generation });
    return this.errorOf(ticket);
  }

  leave(memberId: string, instanceId: string | null = null): number | undefined {
    const ticket = this.ticket();
    this.apply({ tag: "leave", ticket, memberId, instanceId });
    return this.errorOf(ticket);
  }

  isAnswered(ticket: Ticket): boolean {
    return this.#answers.has(ticket);
  }

  joined(ticket: Ticket): Extract<GroupEffect, { tag: "joined" }>["answer"] {
    const effect = this.#answers.get(ticket);
    if (effect?.tag !== "joined") throw new Error(`join ${ticket} is not answered`);
    return effect.answer;
  }

  synced(ticket: Ticket): Extract<GroupEffect, { tag: "synced" }>["answer"] {
    const effect = this.#answers.get(ticket);
    if (effect?.tag !== "synced") throw new Error(`sync ${ticket} is not answered`);
    return effect.answer;
  }

  /** undefined: not answered. */
  errorOf(ticket: Ticket): number | undefined {
    const effect = this.#answers.get(ticket);
    if (effect === undefined) return undefined;
    return effect.tag === "answered" ? effect.errorCode : effect.answer.errorCode;
  }

  /** A stable group of members, the first of whom leads. */
  stable(...options: readonly Partial<JoinEvent>[]): string[] {
    const ids: string[] = [];
    for (const one of options) {
      const ticket = this.join("", one);
      ids.push(`fresh-${ticket}`);
      // Everybody who was there joins again.
      for (const [at, memberId] of ids.slice(0, -1).entries()) {
        const instanceId = options[at]?.instanceId ?? null;
        this.join(memberId, { ...options[at], instanceId });
      }
    }
    const leader = this.group.leaderId ?? "";
    for (const memberId of ids) if (memberId !== leader) this.sync(memberId);
    this.sync(leader, {
      assignments: new Map(ids.map((memberId) => [memberId, utf8Encode(`of ${memberId}`)])),
    });
    return ids;
  }

  has(tag: GroupEffect["tag"]): boolean {
    return this.effects.some((effect) => effect.tag === tag);
  }
}
