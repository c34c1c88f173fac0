import {
  deleteGroupsApi,
  describeGroupsApi,
  ErrorCode,
  listGroupsApi,
  offsetDeleteApi,
  type DescribeGroupsResponse,
} from "@karst/kafka-protocol";
import { randomInteger } from "@karst/runtime";
import type { SeededRandom } from "@karst/runtime/testing";
import { Link } from "../kafka/site.ts";
import type { PartitionModel } from "../kafka/topic-model.ts";
import { commit } from "./committing.ts";
import { type Dialect, drawDialect } from "./dialect.ts";
import { fetchCommitted } from "./fetching.ts";
import { leaveGroup } from "./group-calls.ts";
import type { Speaker } from "./group-model.ts";
import { answered, asking, fateOf, type GroupSite, isPassing } from "./group-site.ts";
import { SUBSCRIPTIONS } from "./limits.ts";

type Described = DescribeGroupsResponse["groups"][number];

/** Beyond all that there is: nobody who began there would go unseen. */
const FORGED = 1_000_000;
const STATES = ["Empty", "PreparingRebalance", "CompletingRebalance", "Stable", "Dead"];

/** Somebody who is in no group: a consumer with partitions of its own, an administrator, a liar. Each call is one attempt. */
export class Bystander {
  readonly #site: GroupSite;
  readonly #random: SeededRandom;
  readonly #link: Link;

  constructor(site: GroupSite, random: SeededRandom) {
    this.#site = site;
    this.#random = random;
    this.#link = new Link(site, random);
  }

  get isConnected(): boolean {
    return this.#link.current !== undefined;
  }

  close(): void {
    this.#link.current?.close();
  }

  /** Whether it was told. */
  async read(groupId: string, partitions: readonly PartitionModel[] | undefined): Promise<boolean> {
    const connection = await this.#link.connected();
    const dialect = this.#dialect();
    return (
      (await fetchCommitted(this.#site, connection, dialect, groupId, partitions)) !== undefined
    );
  }

  /** As a consumer that no group gives its partitions to, or as somebody who sets where a group shall begin. */
  async commitAlone(groupId: string, partition: PartitionModel): Promise<void> {
    const connection = await this.#link.connected();
    await commit(this.#site, connection, this.#dialect(), {
      groupId,
      speaker: { memberId: "", instanceId: null, generation: -1 },
      drafts: [{ partition, offset: randomInteger(this.#random, 0, partition.highWatermark) }],
      wasRead: false,
      oversized: false,
    });
  }

  /** As a member that there is not, in a generation that there is. */
  async forge(groupId: string, partition: PartitionModel): Promise<void> {
    const connection = await this.#link.connected();
    const { generation } = this.#site.group(groupId);
    await commit(this.#site, connection, this.#dialect(), {
      groupId,
      speaker: { memberId: `forged-${this.#site.nextNumber()}`, instanceId: null, generation },
      drafts: [{ partition, offset: partition.highWatermark + FORGED }],
      wasRead: false,
      oversized: false,
    });
  }

  /** As a member that has long gone on, or has ended. */
  async commitAs(
    groupId: string,
    held: Speaker & { readonly partitions: readonly PartitionModel[] },
  ): Promise<void> {
    const connection = await this.#link.connected();
    const { memberId, instanceId, generation } = held;
    const partition = held.partitions.find(({ topic }) => topic.isLive);
    const dialect = drawDialect(this.#random, instanceId !== null);
    await commit(this.#site, connection, dialect, {
      groupId,
      speaker: { memberId, instanceId, generation },
      drafts: partition === undefined ? [] : [{ partition, offset: 0 }],
      wasRead: true,
      oversized: false,
    });
  }

  async deleteGroup(groupId: string): Promise<void> {
    const connection = await this.#link.connected();
    const model = this.#site.group(groupId);
    const asked = asking(this.#site);
    const deletion = model.deletion(asked);
    const answer = await connection.request(deleteGroupsApi, randomInteger(this.#random, 0, 2), {
      groupsNames: [groupId],
    });
    if (answer.tag === "lost") return;
    const errorCode = answer.response.results[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR;
    const done = answered(this.#site, asked);
    const fate = fateOf(errorCode, "DeleteGroups");
    deletion.settled(fate, done.answeredAt);
    this.#site.world.tally.checked += 1;
    if (errorCode === ErrorCode.GROUP_ID_NOT_FOUND) model.absent(this.#site.topics, done);
    if (fate !== "done") return;
    model.wasEmpty("its deletion", done);
    this.#site.world.sometimes.add("deleted");
  }

  async deleteOffset(groupId: string, partition: PartitionModel): Promise<void> {
    const connection = await this.#link.connected();
    const model = this.#site.group(groupId);
    const asked = asking(this.#site);
    const { topic, index } = partition;
    const write = model.offsets.deletion(partition, asked);
    const answer = await connection.request(offsetDeleteApi, 0, {
      groupId,
      topics: [{ name: topic.name, partitions: [{ partitionIndex: index }] }],
    });
    if (answer.tag === "lost") return;
    const { errorCode, topics } = answer.response;
    const own = topics[0]?.partitions[0]?.errorCode ?? ErrorCode.NONE;
    const done = answered(this.#site, asked);
    const fate = fateOf(errorCode === ErrorCode.NONE ? own : errorCode, "OffsetDelete", topic);
    write.settled(fate, done.answeredAt);
    this.#site.world.tally.checked += 1;
    if (fate !== "done") return;
    if (SUBSCRIPTIONS.get(groupId)?.includes(topic.name) === true)
      model.wasEmpty("the deletion of an offset", done);
    this.#site.world.sometimes.add("offset-deleted");
  }

  /** Removes whoever has the instance id. */
  async remove(groupId: string, instanceId: string): Promise<void> {
    const connection = await this.#link.connected();
    const dialect = { ...this.#dialect(), leave: randomInteger(this.#random, 3, 5) };
    const answer = await leaveGroup(connection, dialect, groupId, { memberId: "", instanceId });
    if (answer.tag === "lost") return;
    if (answer.response === ErrorCode.NONE) this.#site.world.sometimes.add("instance-removed");
    else if (answer.response !== ErrorCode.UNKNOWN_MEMBER_ID && !isPassing(answer.response))
      throw new Error(`LeaveGroup of an instance: error ${answer.response}`);
  }

  /** undefined: that was not told. */
  async describe(groupId: string): Promise<Described | undefined> {
    const connection = await this.#link.connected();
    const asked = asking(this.#site);
    const version = randomInteger(this.#random, 0, 6);
    const answer = await connection.request(describeGroupsApi, version, { groups: [groupId] });
    if (answer.tag === "lost") return undefined;
    const [group] = answer.response.groups;
    if (group?.groupId !== groupId) throw new Error(`an answer about ${group?.groupId}`);
    if (isPassing(group.errorCode)) return undefined;
    if (!STATES.includes(group.groupState)) throw new Error(`a group is "${group.groupState}"`);
    const model = this.#site.group(groupId);
    const { world } = this.#site;
    world.tally.checked += 1;
    world.sometimes.add(`described-${group.groupState.toLowerCase()}`);
    for (const { memberId } of group.members) {
      const isGone = model.isGone(memberId, asked.sentAt);
      this.#site.world.invariants.check(
        "CG4",
        !isGone,
        `${memberId} is described, after it was gone`,
      );
    }
    return group;
  }

  async list(): Promise<void> {
    const connection = await this.#link.connected();
    const version = randomInteger(this.#random, 0, 5);
    const answer = await connection.request(listGroupsApi, version, {});
    if (answer.tag === "lost") return;
    const { errorCode, groups } = answer.response;
    if (errorCode !== ErrorCode.NONE && !isPassing(errorCode))
      throw new Error(`ListGroups: error ${errorCode}`);
    this.#site.world.tally.checked += 1;
    const ids = groups.map(({ groupId }) => groupId);
    if (new Set(ids).size !== ids.length) throw new Error("a group is listed twice");
  }

  #dialect(): Dialect {
    return drawDialect(this.#random, false);
  }
}
