import { type Expiry, OffsetRegister, type RegisterAnomaly } from "../checkers/offset-register.ts";
import type { PartitionModel, TopicModel } from "../kafka/topic-model.ts";
import type { Invariants } from "../world/invariants.ts";
import type { World } from "../world/world.ts";
import type { Asked, Asking, Gap } from "./membership.ts";
import { PendingWrite } from "./pending-write.ts";
import { Ranges } from "./ranges.ts";

/** What is asked to be committed for one partition. */
export interface CommitDraft {
  readonly partition: PartitionModel;
  readonly offset: number;
}

/** As it was sent. */
export interface SentCommit extends CommitDraft {
  /** Which no other commit has, of whatever group. */
  readonly number: number;
  readonly write: PendingWrite;
  /** By somebody who has read up to there, as members have. */
  readonly wasRead: boolean;
}

/** What is committed, as it was told. */
export interface CommittedOffset {
  /** Of the commit. */
  readonly number: number;
  readonly offset: number;
}

/**
 * The offsets of one group: all that was asked to be committed or deleted, and told; and what the group's members have read.
 *
 * Invariant: what may have reached a partition's offset is in the partition's register, from the register's beginning.
 */
export class OffsetBook {
  readonly #groupId: string;
  readonly #world: World;
  readonly #registers = new Map<PartitionModel, OffsetRegister>();
  readonly #commits = new Map<number, SentCommit>();
  /** By partition's index, what names its topic. */
  readonly #named = new Map<number, PendingWrite[]>();
  readonly #groupDeletions: PendingWrite[] = [];
  readonly #read = new Map<PartitionModel, Ranges>();
  /** Since when a topic's offsets may be gone with it. */
  readonly #goes = new Map<TopicModel, number>();

  constructor(groupId: string, world: World) {
    this.#groupId = groupId;
    this.#world = world;
  }

  /** @param how `lane`: the connection. `wasRead`: as of a commit that was sent. */
  commit(
    draft: CommitDraft & { readonly number: number },
    how: { readonly byName: boolean; readonly lane: number; readonly wasRead: boolean },
    asking: Asking,
  ): SentCommit {
    const { partition, number } = draft;
    const { byName, lane, wasRead } = how;
    const named = byName ? partition.topic : undefined;
    const write = new PendingWrite(number, asking, { named, lane });
    this.#sent(partition, write, byName);
    const commit: SentCommit = { ...draft, write, wasRead };
    this.#commits.set(number, commit);
    return commit;
  }

  /** The offset of a partition, whose topic is named, is deleted. */
  deletion(partition: PartitionModel, asking: Asking): PendingWrite {
    const write = new PendingWrite(undefined, asking, { named: partition.topic });
    this.#sent(partition, write, true);
    return write;
  }

  /** All of them are. */
  groupDeletion(asking: Asking): PendingWrite {
    const write = new PendingWrite(undefined, asking);
    for (const register of this.#registers.values()) write.addTo(register);
    this.#groupDeletions.push(write);
    return write;
  }

  /** The topic is being deleted, and whatever is committed for it. */
  topicGoes(topic: TopicModel, at: number): void {
    this.#goes.set(topic, at);
  }

  /** Requests that were sent before `before` are over, whatever became of them. */
  over(before: number, now: number): void {
    for (const write of this.#groupDeletions) write.over(before, now);
    for (const writes of this.#named.values()) for (const write of writes) write.over(before, now);
  }

  /** This was told of the partition. @param found undefined: nothing is committed. */
  fetched(partition: PartitionModel, found: CommittedOffset | undefined, asked: Asked): void {
    this.#world.tally.checked += 1;
    if (found !== undefined) this.#checkOrigin(partition, found);
    const { sentAt, answeredAt: doneAt, answeredMs: doneMs } = asked;
    const register = this.#register(partition);
    register.read(found?.number, { sentAt, doneAt, doneMs });
    if (found === undefined && register.isHeldFrom(sentAt)) this.#world.sometimes.add("expired");
  }

  /** A member begins where this was committed. */
  begun(partition: PartitionModel, { number, offset }: CommittedOffset): void {
    const commit = this.#commits.get(number);
    const read = this.#readOf(partition);
    if (commit?.wasRead !== true || commit.partition !== partition) {
      // Whoever said so wanted it to be left out.
      read.add(0, offset);
      return;
    }
    const gap = read.firstGap(partition.trimAsked, offset);
    this.#world.invariants.check(
      "CG7",
      gap === undefined,
      () => `${this.#groupId} begins at ${offset} of ${partition.name}, and has not read ${gap}`,
    );
  }

  /** A member has got the records of [from, to). */
  delivered(partition: PartitionModel, from: number, to: number): void {
    this.#readOf(partition).add(from, to);
  }

  /** The group's members have got to the end of the partition. */
  checkRead(partition: PartitionModel): void {
    const { trimAsked, highWatermark, name } = partition;
    const gap = this.#readOf(partition).firstGap(trimAsked, highWatermark);
    this.#world.tally.checked += 1;
    this.#world.invariants.check(
      "CG7",
      gap === undefined,
      () => `${this.#groupId} is at the end of ${name}, and has not read ${gap}`,
    );
  }

  /** Whether something was committed all that time. */
  isHeld({ from, to }: Gap): boolean {
    for (const [{ topic }, register] of this.#registers)
      if ((this.#goes.get(topic) ?? Infinity) > to && register.isHeldFrom(from)) return true;
    return false;
  }

  /** Those whose history could not be. */
  *anomalies(
    expiry: Expiry,
  ): Iterable<{ readonly partition: PartitionModel; readonly anomaly: RegisterAnomaly }> {
    for (const [partition, register] of this.#registers) {
      this.#world.tally.checked += register.operations;
      const anomaly = register.anomaly(expiry);
      if (anomaly !== undefined) yield { partition, anomaly };
    }
  }

  #sent(partition: PartitionModel, write: PendingWrite, byName: boolean): void {
    write.addTo(this.#register(partition));
    if (!byName) return;
    const named = this.#named.get(partition.index) ?? [];
    this.#named.set(partition.index, named);
    named.push(write);
  }

  /** An offset is told as it was committed, and for the topic that it was committed for. */
  #checkOrigin(partition: PartitionModel, { number, offset }: CommittedOffset): void {
    const { sometimes } = this.#world;
    const invariants: Invariants = this.#world.invariants;
    const where = `${this.#groupId}, ${partition.name}`;
    const commit = this.#commits.get(number);
    invariants.check("CG2", commit !== undefined, () => `${where}: nobody has asked for ${number}`);
    invariants.check(
      "CG1",
      commit.offset === offset,
      () => `${where}: ${commit.offset} was committed, and ${offset} is told`,
    );
    if (commit.partition === partition) return;
    const { topic, index } = partition;
    invariants.check(
      commit.partition.topic.name === topic.name ? "P6" : "CG1",
      commit.partition.index === index && commit.write.mayReach(topic),
      () => `${where}: the offset of ${commit.partition.name} is told`,
    );
    sometimes.add("offset-of-the-topic-before");
  }

  #register(partition: PartitionModel): OffsetRegister {
    const known = this.#registers.get(partition);
    if (known !== undefined) return known;
    const made = new OffsetRegister();
    this.#registers.set(partition, made);
    for (const write of this.#groupDeletions) if (write.isOpen) write.addTo(made);
    for (const write of this.#named.get(partition.index) ?? [])
      if (write.mayReach(partition.topic)) write.addTo(made);
    return made;
  }

  #readOf(partition: PartitionModel): Ranges {
    const known = this.#read.get(partition);
    if (known !== undefined) return known;
    const made = new Ranges();
    this.#read.set(partition, made);
    return made;
  }
}
