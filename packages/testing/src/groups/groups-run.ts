import { BrokerRun, type BrokerRunOptions } from "../kafka/broker-run.ts";
import type { PartitionModel, TopicModel } from "../kafka/topic-model.ts";
import { Bystander } from "./bystander.ts";
import { drawDialect } from "./dialect.ts";
import { drawMember, GroupMember } from "./group-member.ts";
import { GroupModel } from "./group-model.ts";
import type { GroupSite } from "./group-site.ts";
import { ALONE, GROUP_BROKER_LIMITS, GROUPS } from "./limits.ts";

/** Each with a connection of its own. */
const BYSTANDERS = 8;

export interface GroupsOptions extends BrokerRunOptions {
  /** By topic. */
  readonly partitions: readonly [t0: number, t1: number];
  /** Processes that may be members at the same time, not counting those that do not know that they are replaced. */
  readonly members: number;
  /** Of them the first so many have instance ids. */
  readonly statics: number;
  /** Of the broker's limits. */
  readonly groupMembersMax: number;
  readonly initialRebalanceDelayMs: number;
  readonly partBytesMax: number;
  readonly snapshotBytesMin: number;
}

/**
 * Topics that are read by the members of two groups, and bystanders.
 *
 * Invariant: `members` are those that ever lived and may still; a process that is replaced stays among them until it has heard of it.
 */
export class GroupsRun extends BrokerRun implements GroupSite {
  readonly options: GroupsOptions;
  readonly givenIds: Set<string> = new Set();
  readonly bystanders: readonly Bystander[];
  #members: GroupMember[] = [];
  readonly #groups: ReadonlyMap<string, GroupModel>;
  #moment = 0;
  #number = 0;
  #processes = 0;

  constructor(options: GroupsOptions) {
    super(options, "groups", {
      limits: { ...GROUP_BROKER_LIMITS, groupMembersMax: options.groupMembersMax },
      groupInitialRebalanceDelayMs: options.initialRebalanceDelayMs,
      groupStateLimits: {
        partBytesMax: options.partBytesMax,
        snapshotBytesMin: options.snapshotBytesMin,
      },
    });
    this.options = options;
    this.#groups = new Map(
      [...GROUPS, ALONE].map((id) => [id, new GroupModel(id, this.world, () => this.now())]),
    );
    this.bystanders = Array.from(
      { length: BYSTANDERS },
      (_, i) => new Bystander(this, this.random.fork(`bystander ${i}`)),
    );
  }

  /** Makes the topics, and lets the members begin. */
  async begin(): Promise<void> {
    for (const [i, partitions] of this.options.partitions.entries())
      await this.makeTopic(`t${i}`, partitions);
    for (let slot = 0; slot < this.options.members; slot += 1) this.join(slot);
  }

  override check(): void {
    super.check();
    if (this.current?.hasLogged("state-snapshot") === true)
      this.world.sometimes.add("state-snapshot");
  }

  override deleting(topic: TopicModel): void {
    super.deleting(topic);
    for (const group of this.groups) group.offsets.topicGoes(topic, this.now());
  }

  /** One of the partitions that are there; undefined: there are none. */
  partition(which: number): PartitionModel | undefined {
    const all = this.topics.filter(({ isLive }) => isLive).flatMap(({ partitions }) => partitions);
    return all[which % all.length];
  }

  get groups(): Iterable<GroupModel> {
    return this.#groups.values();
  }

  group(groupId: string): GroupModel {
    const found = this.#groups.get(groupId);
    if (found === undefined) throw new TypeError(`there is no group ${groupId}`);
    return found;
  }

  now(): number {
    return (this.#moment += 1);
  }

  nextNumber(): number {
    return (this.#number += 1);
  }

  get members(): readonly GroupMember[] {
    this.#members = this.#members.filter(({ isLive }) => isLive);
    return this.#members;
  }

  /** The process of this place that was started last, if it lives. */
  member(slot: number): GroupMember | undefined {
    const { name } = this.#place(slot);
    return this.members.findLast(({ options }) => options.name === name);
  }

  /** Starts a process where there is none. */
  join(slot: number): void {
    if (this.member(slot) === undefined) this.#start(slot);
  }

  /** Starts a process with the instance id of one that may still live. */
  twin(slot: number): void {
    if (this.#place(slot).instanceId !== null) this.#start(slot);
  }

  instanceOf(slot: number): { readonly groupId: string; readonly instanceId: string } | undefined {
    const { groupId, instanceId } = this.#place(slot);
    return instanceId === null ? undefined : { groupId, instanceId };
  }

  /** Lets it be done, and fails the run with what it rejects with. */
  aside(doing: Promise<unknown>): void {
    doing.catch((error: unknown) => this.failed(error));
  }

  #place(slot: number): {
    readonly name: string;
    readonly groupId: string;
    readonly instanceId: string | null;
  } {
    const place = slot % this.options.members;
    return {
      name: `m${place}`,
      groupId: place % 4 === 3 ? GROUPS[1] : GROUPS[0],
      instanceId: place < this.options.statics ? `i${place}` : null,
    };
  }

  #start(slot: number): void {
    const place = this.#place(slot);
    // As many as there are places may be zombies.
    if (this.members.length >= 2 * this.options.members) return;
    this.#processes += 1;
    const random = this.random.fork(`process ${this.#processes}`);
    const dialect = drawDialect(random, place.instanceId !== null);
    const options = { ...place, dialect, ...drawMember(random) };
    this.#members.push(new GroupMember(options, this, random));
  }
}
