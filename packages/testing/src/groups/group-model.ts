import type { World } from "../world/world.ts";
import { type Expiry, OffsetRegister, type RegisterWrite } from "../checkers/offset-register.ts";
import type { Assignment } from "./assignment.ts";
import { RETENTION_MS } from "./limits.ts";
import { type Asked, type Asking, type Gap, gapsOf, Membership } from "./membership.ts";

/** Who says what it does: a member in a generation, or somebody without a group (-1, ""). */
export interface Speaker {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly generation: number;
}

/** What became of a change. `unknown`: it may have happened, or may yet. */
export type Fate = "done" | "refused" | "unknown";

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
  /** By partition: the instance, or the member without one. */
  readonly owners: Map<number, string>;
}

/** What all clients together know of one group: never forgotten, whatever happens to the broker. */
export class GroupModel {
  readonly groupId: string;
  readonly #world: World;
  readonly #now: () => number;
  readonly #offsets = new Map<number, OffsetRegister>();
  readonly #members = new Map<string, Membership>();
  readonly #told: Told[] = [];
  readonly #generations = new Map<number, Generation>();
  readonly #deletions: { readonly sentAt: number; doneAt: number }[] = [];
  /** By how much wall clocks may have gone beside the time that passed. */
  #skewMs = 0;

  /** @param now the next moment. */
  constructor(groupId: string, world: World, now: () => number) {
    this.groupId = groupId;
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

  /** @returns to be told what becomes of it. */
  commit(
    partitions: readonly number[],
    value: number,
    speaker: Speaker,
    asking: Asking,
  ): readonly RegisterWrite[] {
    const isStale = this.staleness(speaker, asking.sentAt) !== undefined;
    return partitions.map((partition) => {
      const write = this.#register(partition).write(value, asking.sentAt, asking.sentMs);
      write.refused = isStale;
      return write;
    });
  }

  /** The group is deleted. @returns to be told what becomes of it. */
  deletion({ sentAt, sentMs }: Asking): { settled(fate: Fate, doneAt: number): void } {
    const writes = [...this.#offsets.values()].map((one) => one.write(undefined, sentAt, sentMs));
    const deletion = { sentAt, doneAt: Infinity };
    this.#deletions.push(deletion);
    return {
      settled: (fate, doneAt) => {
        for (const write of writes) settle(write, fate, doneAt);
        if (fate === "done") deletion.doneAt = doneAt;
        if (fate === "refused") this.#deletions.splice(this.#deletions.indexOf(deletion), 1);
      },
    };
  }

  offsetDeletion(partition: number, { sentAt, sentMs }: Asking): RegisterWrite {
    return this.#register(partition).write(undefined, sentAt, sentMs);
  }

  fetched(partition: number, value: number | undefined, asked: Asked): void {
    this.#world.tally.checked += 1;
    const { sentAt, answeredAt: doneAt, answeredMs: doneMs } = asked;
    const register = this.#register(partition);
    register.read(value, { sentAt, doneAt, doneMs });
    if (value === undefined && register.isHeldFrom(sentAt)) this.#world.sometimes.add("expired");
  }

  /** Every offset's history is one that could be. */
  check(): void {
    const expiry = this.#expiry(this.#gaps());
    for (const [partition, register] of this.#offsets) {
      const anomaly = register.anomaly(expiry);
      const where = `${this.groupId}/${partition}: ${anomaly?.detail}`;
      this.#world.invariants.check("CG2", anomaly?.kind !== "void", where);
      this.#world.invariants.check("CG5", anomaly?.kind !== "expired", where);
      this.#world.invariants.check("CG1", anomaly === undefined, where);
      this.#world.tally.checked += register.operations;
    }
  }

  #register(partition: number): OffsetRegister {
    const known = this.#offsets.get(partition);
    if (known !== undefined) return known;
    const made = new OffsetRegister();
    this.#offsets.set(partition, made);
    return made;
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
    const made = { draft, askedAt: sentAt, owners: new Map<number, string>() };
    this.#generations.set(generation, made);
    return made;
  }

  /** Whether the group may have been forgotten, and made again, since that moment. */
  #mayHaveBegunAnew(since: number): boolean {
    if (this.#deletions.some(({ doneAt }) => doneAt > since)) return true;
    const gaps = this.#gaps().filter(({ to }) => to > since);
    // Without offsets it is forgotten as soon as nobody is in it.
    const bare = gaps.filter(
      ({ from }) => ![...this.#offsets.values()].some((one) => one.isHeldFrom(from)),
    );
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

/** What became of a change. */
export function settle(write: RegisterWrite, fate: Fate, doneAt: number): void {
  if (fate === "refused") write.refused = true;
  if (fate === "done") write.doneAt = doneAt;
}

function nameOf({ memberId, generation }: Speaker): string {
  return `${memberId === "" ? "nobody" : memberId} in generation ${generation}`;
}
