import type { StateChange } from "@karst/core";
import type { Clock, Timer } from "@karst/runtime";
import { GROUP_RETRY_MS } from "../limits.ts";
import { type Group, rebalanceTimeoutMs } from "./group.ts";
import type { GroupEffect, GroupEvent, GroupRules } from "./group-event.ts";
import { bytesOfGroup } from "./group-bytes.ts";
import type { GroupMemory } from "./group-memory.ts";
import { GroupOffsets, type PartitionOffset } from "./group-offsets.ts";
import { encodeGroup, encodeKey, encodeOffset } from "./group-records.ts";
import { Sessions } from "./sessions.ts";
import { transition } from "./transition.ts";
import type { AnswerEffect } from "./waiting-requests.ts";

/** What a group needs of its coordinator. */
export interface EntryHost {
  readonly clock: Clock;
  readonly memory: GroupMemory;
  rules(): GroupRules;
  /** Resolves when durable. @throws KarstError, and nothing was written. */
  write(changes: readonly StateChange[]): Promise<void>;
  /** Sends an answer when what it rests on is durable; undefined: it is. */
  answer(effect: AnswerEffect, durable: Promise<void> | undefined): void;
  /** The event was not taken, because there is no memory for what it changes, or it could not be written. */
  refused(entry: GroupEntry, event: GroupEvent, error: unknown): void;
  /** After every event that was taken. */
  changed(entry: GroupEntry): void;
}

/**
 * One group: what it is, what it has committed, its timers.
 *
 * Invariants: `group` is what the events so far make of it, and everything of it that must survive is in the log; `durable` is set
 * while the last write is not durable; the memory of both is taken before they change. A change that cannot be written, or
 * has no room, does not happen.
 */
export class GroupEntry {
  readonly offsets: GroupOffsets = new GroupOffsets();
  readonly #host: EntryHost;
  readonly #sessions: Sessions;
  #group: Group;
  #durable: Promise<void> | undefined;
  #timer: Timer | undefined;
  /** Of the group alone. */
  #groupBytes: number;

  /** @throws KarstError `MEMORY_BUDGET_EXCEEDED` (`unavailable`). */
  constructor(group: Group, host: EntryHost) {
    this.#group = group;
    this.#host = host;
    this.#groupBytes = bytesOfGroup(group);
    host.memory.take(this.#groupBytes);
    this.#sessions = new Sessions(host.clock, (memberId) =>
      this.dispatch({ tag: "session-expired", memberId }),
    );
  }

  get group(): Group {
    return this.#group;
  }

  get groupId(): string {
    return this.#group.groupId;
  }

  /** What every answer about this group has to wait for. */
  get durable(): Promise<void> | undefined {
    return this.#durable;
  }

  /** Nothing would be missed: nobody is there, nothing is on record. */
  get isForgettable(): boolean {
    const { phase, generation, pendingIds } = this.#group;
    if (phase === "Dead") return true;
    return phase === "Empty" && generation === 0 && pendingIds.size === 0 && this.offsets.isEmpty;
  }

  /** The group was loaded: its members have a session's time to come back. */
  resume(): void {
    for (const { memberId, sessionTimeoutMs } of this.#group.members.values())
      this.#sessions.start(memberId, sessionTimeoutMs);
    const { phase } = this.#group;
    if (phase === "PreparingRebalance" || phase === "CompletingRebalance")
      this.#arm(rebalanceTimeoutMs(this.#group));
  }

  dispatch(event: GroupEvent): void {
    const { group, effects } = transition(this.#group, event, this.#host.rules());
    const forget = effects.some(({ tag }) => tag === "forget");
    const bytes = group === this.#group ? this.#groupBytes : bytesOfGroup(group);
    const growth = Math.max(0, bytes - this.#groupBytes);
    let taken = 0;
    try {
      this.#host.memory.take(growth);
      taken = growth;
      if (forget) this.#record(this.#nothingLeft());
      else if (effects.some(({ tag }) => tag === "write")) this.#record([recordOf(group)]);
    } catch (error) {
      this.#host.memory.give(taken);
      if (event.tag === "session-expired") this.#sessions.start(event.memberId, GROUP_RETRY_MS);
      if (event.tag === "rebalance-timeout") this.#arm(GROUP_RETRY_MS);
      this.#host.refused(this, event, error);
      return;
    }
    this.#group = group;
    this.#host.memory.give(this.#groupBytes + growth - bytes);
    this.#groupBytes = bytes;
    for (const effect of effects) this.#perform(effect);
    this.#host.changed(this);
  }

  /** Puts offsets on record. Resolves when durable. @throws KarstError, and nothing was written. */
  commit(offsets: readonly PartitionOffset[]): Promise<void> {
    const growth = this.offsets.growth(offsets);
    const { groupId } = this;
    this.#host.memory.take(growth);
    let recorded: { readonly durable: Promise<void> };
    try {
      recorded = this.#record(
        offsets.map(({ topicId, partition, committed }) => ({
          key: encodeKey({ tag: "offset", groupId, topicId, partition }),
          value: encodeOffset(committed),
        })),
      );
    } catch (error) {
      this.#host.memory.give(growth);
      throw error;
    }
    const before = this.offsets.bytes;
    for (const offset of offsets) this.offsets.set(offset);
    this.#host.memory.give(before + growth - this.offsets.bytes);
    return recorded.durable;
  }

  /** Takes offsets off the record. Resolves when durable. @throws KarstError, and nothing was written. */
  forget(offsets: readonly Pick<PartitionOffset, "topicId" | "partition">[]): Promise<void> {
    const { durable } = this.#record(offsets.map((offset) => this.#without(offset)));
    const before = this.offsets.bytes;
    for (const { topicId, partition } of offsets) this.offsets.delete(topicId, partition);
    this.#host.memory.give(before - this.offsets.bytes);
    return durable;
  }

  /** An offset that is on record. @throws KarstError `MEMORY_BUDGET_EXCEEDED` (`unavailable`). */
  load(offset: PartitionOffset): void {
    this.#host.memory.take(this.offsets.growth([offset]));
    this.offsets.set(offset);
  }

  /** Nothing is told of this group before that is durable. */
  restsOn(durable: Promise<void>): void {
    this.#durable = durable;
    const settled = (): void => {
      if (this.#durable === durable) this.#durable = undefined;
    };
    // A failure ends the coordinator: nothing is answered from here any more.
    durable.then(settled, () => undefined);
  }

  /** Nothing happens by itself any more. */
  stop(): void {
    this.#sessions.stopAll();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** The entry is used no more: its memory is given back. */
  drop(): void {
    this.stop();
    this.#host.memory.give(this.#groupBytes + this.offsets.bytes);
    this.#groupBytes = 0;
    this.offsets.clear();
  }

  #record(changes: readonly StateChange[]): { readonly durable: Promise<void> } {
    const durable = this.#host.write(changes);
    this.restsOn(durable);
    return { durable };
  }

  #perform(effect: GroupEffect): void {
    switch (effect.tag) {
      case "session":
        if (effect.timeoutMs === undefined) this.#sessions.stop(effect.memberId);
        else this.#sessions.start(effect.memberId, effect.timeoutMs);
        break;
      case "timer":
        this.#arm(effect.delayMs);
        break;
      case "joined":
      case "synced":
      case "answered":
        this.#host.answer(effect, this.#durable);
        break;
      case "write":
      case "forget":
        break;
    }
  }

  #arm(delayMs: number | undefined): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (delayMs === undefined) return;
    this.#timer = this.#host.clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      this.dispatch({ tag: "rebalance-timeout" });
    });
  }

  #nothingLeft(): StateChange[] {
    const { groupId } = this;
    const changes: StateChange[] = [
      { key: encodeKey({ tag: "group", groupId }), value: undefined },
    ];
    for (const offset of this.offsets.entries()) changes.push(this.#without(offset));
    return changes;
  }

  #without({ topicId, partition }: Pick<PartitionOffset, "topicId" | "partition">): StateChange {
    const { groupId } = this;
    return { key: encodeKey({ tag: "offset", groupId, topicId, partition }), value: undefined };
  }
}

function recordOf(group: Group): StateChange {
  return { key: encodeKey({ tag: "group", groupId: group.groupId }), value: encodeGroup(group) };
}
