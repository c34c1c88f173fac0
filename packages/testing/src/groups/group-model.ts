import type { World } from "../world/world.ts";
import type { Expiry } from "../checkers/offset-register.ts";
import type { TopicModel } from "../kafka/topic-model.ts";
import type { Assignment } from "./assignment.ts";
import { RETENTION_MS } from "./limits.ts";
import { type Asked, type Asking, type Gap, gapsOf, Membership } from "./membership.ts";
import { type CommitDraft, OffsetBook, type SentCommit } from "./offset-book.ts";
import type { Fate } from "./pending-write.ts";

/** Who says what it does: a member in a generation, or somebody without a group (-1, ""). */
export interface Speaker {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly generation: number;
}

/** A generation was told of: the group was in it at a moment between these. */
interface Told {
  readonly generation: number;
  readonly sentAt: number;
  readonly at: number;
}

/** What one generation was seen to be. */
interface Generation {
  readonly draft: number;
  /** By whoever was told of it first. */
  readonly askedAt: number;
  /** By partition, as its key: the instance, or the member without one. */
  readonly owners: Map<string, string>;
}

const BROKEN_BY = { void: "CG2", expired: "CG5", lost: "CG1" } as const;

/** What all clients together know of one group: never forgotten, whatever happens to the broker. */
export class GroupModel {
  readonly groupId: string;
  readonly offsets: OffsetBook;
  readonly #world: World;
  readonly #now: () => number;
  readonly #members = new Map<string, Membership>();
  readonly #told: Told[] = [];
  readonly #generations = new Map<number, Generation>();
  readonly #deletions: { readonly sentAt: number; doneAt: number }[] = [];
  /** By how much wall clocks may have gone beside the time that passed. */
  #skewMs = 0;

  /** @param now the next moment. */
  constructor(groupId: string, world: World, now: () => number) {
    this.groupId = groupId;
    this.offsets = new OffsetBook(groupId, world);
    this.#world = world;
    this.#now = now;
  }

  /** The greatest generation that was told of last; 0: none was. */
  get generation(): number {
    return this.#told.at(-1)?.generation ?? 0;
  }

  skewed(): void {
    this.#skewMs = Infinity;
  }

  /** An id was given out. */
  gotId(memberId: string, given: Set<string>): void {
    this.#world.invariants.check("CG4", !given.has(memberId), `${memberId} was given twice`);
    given.add(memberId);
  }

  /** A join was answered: the group has this member in this generation. */
  joined({ memberId, instanceId, generation }: Speaker, asked: Asked): void {
    this.#generationTold(generation, asked);
    const known = this.#members.get(memberId);
    if (known === undefined)
      this.#members.set(memberId, new Membership(memberId, instanceId, asked));
    else this.#proven(known, asked);
    if (instanceId === null) return;
    for (const other of this.#members.values()) {
      // Whoever had it before this was asked has lost it to whoever asked.
      if (other.instanceId === instanceId && other.memberId !== memberId)
        if (other.from < asked.sentAt) other.goneAt = Math.min(other.goneAt, asked.answeredAt);
    }
  }

  /** What only a member in its generation may do was answered with success. */
  spoke(speaker: Speaker, asked: Asked, what: string): void {
    const staleness = this.staleness(speaker, asked.sentAt);
    this.#world.invariants.check(
      "CG2",
      staleness === undefined,
      () => `${what} of ${nameOf(speaker)} in ${this.groupId} was taken, though ${staleness}`,
    );
    this.belongs(speaker.memberId, asked);
  }

  /** It was a member, in whatever generation, when it asked. */
  belongs(memberId: string, asked: Asked): void {
    const member = this.#members.get(memberId);
    if (member !== undefined) this.#proven(member, asked);
  }

  /** The group does not know it any more, or another process has its instance id. */
  gone(memberId: string, asked: Asked): void {
    const member = this.#members.get(memberId);
    if (member !== undefined) member.goneAt = Math.min(member.goneAt, asked.answeredAt);
  }

  isGone(memberId: string, at: number): boolean {
    return (this.#members.get(memberId)?.goneAt ?? Infinity) < at;
  }

  /** Why it was certain at that moment that this speaker is not, or not any more, what it says; undefined: it was not. */
  staleness({ memberId, generation }: Speaker, at: number): string | undefined {
    if (generation < 0) return undefined;
    if (!this.#members.has(memberId)) return "it never joined";
    if (this.isGone(memberId, at)) return "it is gone";
    const newer = this.#told.findLast((one) => one.generation > generation && one.at < at);
    return newer === undefined || this.#mayHaveBegunAnew(newer.sentAt)
      ? undefined
      : `generation ${newer.generation} was told of`;
  }

  /** A member has an assignment. */
  assigned(speaker: Speaker, assignment: Assignment, asked: Asked): void {
    const { generation, memberId, instanceId } = speaker;
    this.spoke(speaker, asked, "a sync");
    this.#world.invariants.check(
      "CG3",
      assignment.memberId === memberId ||
        (instanceId !== null && this.#mayHaveHeld(assignment.memberId, instanceId)),
      () => `${nameOf(speaker)} got the assignment of ${assignment.memberId}`,
    );
    this.#world.invariants.check(
      "CG3",
      assignment.generation === generation,
      () => `${nameOf(speaker)} got an assignment of generation ${assignment.generation}`,
    );
    const owners = this.#generation(generation, assignment.draft, asked).owners;
    const owner = instanceId ?? memberId;
    for (const partition of assignment.partitions) {
      const other = owners.get(partition);
      this.#world.invariants.check(
        "CG3",
        other === undefined || other === owner,
        () => `${this.groupId}/${partition} belongs to ${other} and ${owner} in ${generation}`,
      );
      owners.set(partition, owner);
    }
  }

  /** Something was done that is done only to a group without members. */
  wasEmpty(what: string, asked: Asked): void {
    for (const member of this.#members.values()) {
      if (member.from < asked.sentAt && member.goneAt === Infinity)
        member.suspicion ??= { what, at: asked.answeredAt };
    }
  }

  /** @param how as in `OffsetBook.commit`. */
  commit(
    draft: CommitDraft & { readonly number: number },
    how: { readonly byName: boolean; readonly lane: number; readonly wasRead: boolean },
    by: { readonly speaker: Speaker; readonly asking: Asking },
  ): SentCommit {
    const commit = this.offsets.commit(draft, how, by.asking);
    if (this.staleness(by.speaker, by.asking.sentAt) !== undefined) commit.write.forbid();
    return commit;
  }

  /** The group is deleted. @returns to be told what becomes of it. */
  deletion(asking: Asking): { settled(fate: Fate, doneAt: number): void } {
    const write = this.offsets.groupDeletion(asking);
    const deletion = { sentAt: asking.sentAt, doneAt: Infinity };
    this.#deletions.push(deletion);
    return {
      settled: (fate, doneAt) => {
        write.settled(fate, doneAt);
        if (fate === "done") deletion.doneAt = doneAt;
        if (fate === "refused") this.#deletions.splice(this.#deletions.indexOf(deletion), 1);
      },
    };
  }

  /** Requests that were sent before `before` are over, whatever became of them. */
  over(before: number): void {
    const now = this.#now();
    this.offsets.over(before, now);
    for (const deletion of this.#deletions)
      if (deletion.sentAt < before) deletion.doneAt = Math.min(deletion.doneAt, now);
  }

  /** There is no such group: nothing is committed. */
  absent(topics: readonly TopicModel[], asked: Asked): void {
    for (const { isLive, partitions } of topics)
      for (const partition of isLive ? partitions : [])
        this.offsets.fetched(partition, undefined, asked);
  }

  /** Every offset's history is one that could be. */
  check(): void {
    const expiry = this.#expiry(this.#gaps());
    for (const { partition, anomaly } of this.offsets.anomalies(expiry)) {
      const where = `${this.groupId}, ${partition.name}: ${anomaly.detail}`;
      this.#world.invariants.check(BROKEN_BY[anomaly.kind], false, where);
    }
  }

  /** Old versions do not tell the leader who has which instance id. */
  #mayHaveHeld(memberId: string, instanceId: string): boolean {
    const member = this.#members.get(memberId);
    return member === undefined || member.instanceId === instanceId;
  }

  #proven(member: Membership, asked: Asked): void {
    const { memberId, goneAt, suspicion } = member;
    this.#world.invariants.check(
      "CG4",
      goneAt > asked.sentAt,
      () => `${memberId} is in ${this.groupId} again, after it was gone`,
    );
    this.#world.invariants.check(
      "CG2",
      suspicion === undefined || suspicion.at > asked.sentAt,
      () => `${suspicion?.what} was done while ${memberId} was in ${this.groupId}`,
    );
    member.proven(asked);
  }

  #generationTold(generation: number, { sentAt, answeredAt }: Asked): void {
    const greater = this.#told.findLast((one) => one.generation > generation && one.at < sentAt);
    this.#world.invariants.check(
      "CG4",
      greater === undefined || this.#mayHaveBegunAnew(greater.sentAt),
      () => `${this.groupId} is in generation ${generation}, after ${greater?.generation}`,
    );
    this.#told.push({ generation, sentAt, at: answeredAt });
  }

  #generation(generation: number, draft: number, { sentAt }: Asked): Generation {
    const known = this.#generations.get(generation);
    if (known?.draft === draft) return known;
    this.#world.invariants.check(
      "CG3",
      known === undefined || this.#mayHaveBegunAnew(known.askedAt),
      () => `generation ${generation} of ${this.groupId} has two assignments`,
    );
    const made = { draft, askedAt: sentAt, owners: new Map<string, string>() };
    this.#generations.set(generation, made);
    return made;
  }

  /** Whether the group may have been forgotten, and made again, since that moment. */
  #mayHaveBegunAnew(since: number): boolean {
    if (this.#deletions.some(({ doneAt }) => doneAt > since)) return true;
    const gaps = this.#gaps().filter(({ to }) => to > since);
    // Without offsets it is forgotten as soon as nobody is in it.
    const bare = gaps.filter((gap) => !this.offsets.isHeld(gap));
    return bare.length > 0 || this.#expiry(gaps).times.length > 0;
  }

  #gaps(): Gap[] {
    return gapsOf(this.#members.values(), {
      at: this.#now(),
      ms: this.#world.clock.monotonicMs(),
    });
  }

  /** When offsets may have expired. */
  #expiry(gaps: readonly Gap[]): Expiry {
    const ageMs = RETENTION_MS - this.#skewMs;
    return { ageMs, times: gaps.filter(({ ms }) => ms >= ageMs) };
  }
}

function nameOf({ memberId, generation }: Speaker): string {
  return `${memberId === "" ? "nobody" : memberId} in generation ${generation}`;
}
