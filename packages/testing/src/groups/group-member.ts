import { ErrorCode, type JoinGroupResponse } from "@karst/kafka-protocol";
import { sleep } from "@karst/runtime";
import type { SeededRandom } from "@karst/runtime/testing";
import type { ClientConnection } from "../kafka/client-connection.ts";
import { drawReading, type ReadingOptions } from "../kafka/log-reader.ts";
import { Link } from "../kafka/site.ts";
import type { PartitionModel, TopicModel } from "../kafka/topic-model.ts";
import { chance, pick } from "../world/draw.ts";
import {
  assign,
  decodeAssignment,
  encodeAssignment,
  encodeSubscription,
  partitionKey,
} from "./assignment.ts";
import { commit } from "./committing.ts";
import type { Dialect } from "./dialect.ts";
import { findCoordinator, heartbeat, joinGroup, leaveGroup, syncGroup } from "./group-calls.ts";
import type { Speaker } from "./group-model.ts";
import { answered, asking, type GroupSite, isPassing } from "./group-site.ts";
import { HEARTBEAT_MS, REBALANCE_MS, SESSION_MS, SUBSCRIPTIONS } from "./limits.ts";
import { MemberReading } from "./member-reading.ts";
import type { CommitDraft } from "./offset-book.ts";

export interface MemberOptions {
  readonly name: string;
  readonly groupId: string;
  /** null: a dynamic member. */
  readonly instanceId: string | null;
  readonly dialect: Dialect;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly heartbeatMs: number;
  /** In order of preference; all members have one in common. */
  readonly protocols: readonly string[];
  readonly reading: ReadingOptions;
}

export function drawMember(
  random: SeededRandom,
): Omit<MemberOptions, "name" | "groupId" | "instanceId" | "dialect"> {
  return {
    sessionTimeoutMs: pick(random, SESSION_MS),
    rebalanceTimeoutMs: pick(random, REBALANCE_MS),
    heartbeatMs: pick(random, HEARTBEAT_MS),
    protocols: pick(random, [["range"], ["range", "sticky"], ["sticky", "range"]]),
    reading: drawReading(random),
  };
}

/** `out`: asks to join. `joined`: asks for its assignment. `in`: has it. `full`: the group has no room. `ended`: does nothing any more. */
type State =
  | { readonly tag: "out" | "full" | "ended" }
  | { readonly tag: "joined"; readonly generation: number; readonly joined: JoinGroupResponse }
  | { readonly tag: "in"; readonly generation: number; readonly topicIds: readonly string[] };

/** How soon a member sees that topics have changed: at a heartbeat, in percent. */
const NOTICES = 30;
/** Of the heartbeats, where something was read, those that a commit goes with; in percent. */
const COMMITS = 10;

/** One process that is a member of a group, for as long as it lives, and reads what it is given. */
export class GroupMember {
  readonly options: MemberOptions;
  readonly #site: GroupSite;
  readonly #random: SeededRandom;
  readonly #link: Link;
  readonly #dialect: Dialect;
  readonly #reading: MemberReading;
  #state: State = { tag: "out" };
  #memberId = "";
  #revision = 0;
  #commits = 0;
  #sleepsUntilMs = 0;
  #found = false;

  constructor(options: MemberOptions, site: GroupSite, random: SeededRandom) {
    this.options = options;
    this.#site = site;
    this.#random = random;
    this.#link = new Link(site, random);
    this.#dialect = options.dialect;
    this.#reading = new MemberReading(options, site, random.fork("reading"), () => this.#awake());
    this.#run().catch((error: unknown) => site.failed(error));
  }

  get isLive(): boolean {
    return this.#state.tag !== "ended";
  }

  /** Has an assignment, or was told that there is no room for it. */
  get isSettled(): boolean {
    return this.#state.tag === "in" || this.#state.tag === "full";
  }

  /** What it believes to have; undefined: nothing. */
  get held(): (Speaker & { readonly partitions: readonly PartitionModel[] }) | undefined {
    const { tag } = this.#state;
    if (tag !== "in") return undefined;
    return { ...this.#speaker(this.#state.generation), partitions: this.#reading.partitions };
  }

  /** Whether it has read all that is known to be in its partitions. */
  get isAtEnd(): boolean {
    return this.#reading.isAtEnd;
  }

  /** Commits where it is, so many times: at once where it can, else when it comes to that. */
  commit(times: number): void {
    const { current } = this.#link;
    const state = this.#state;
    if (state.tag === "in" && current !== undefined && this.#sleepsUntilMs <= this.#nowMs) {
      const speaker = this.#speaker(state.generation);
      for (let i = 0; i < times; i += 1) this.#commitAside(current, speaker, this.#reading.places);
    } else {
      this.#commits = Math.min(this.#commits + times, 10);
    }
  }

  /** Does nothing for so long, and then goes on as if nothing had been. */
  pause(ms: number): void {
    this.#sleepsUntilMs = Math.max(this.#sleepsUntilMs, this.#nowMs + ms);
    this.#commits += 1;
  }

  /** Subscribes to something else, and so joins again. */
  rejoin(): void {
    if (this.#state.tag !== "in") return;
    this.#revision += 1;
    this.#out();
  }

  /** Ends in an instant. */
  kill(): void {
    this.#state = { tag: "ended" };
    this.#reading.stop();
    this.#link.current?.close();
  }

  /** Ends in order. */
  leave(): void {
    if (!this.isLive) return;
    const { held } = this;
    const { places } = this.#reading;
    this.#state = { tag: "ended" };
    this.#reading.stop();
    const connection = this.#link.current;
    // In front of what it says last.
    if (connection !== undefined && held !== undefined && chance(this.#random, 50))
      this.#commitAside(connection, held, places);
    this.#goodbye().catch((error: unknown) => this.#site.failed(error));
  }

  get #nowMs(): number {
    return this.#site.world.clock.monotonicMs();
  }

  #speaker(generation: number): Speaker {
    return { memberId: this.#memberId, instanceId: this.options.instanceId, generation };
  }

  async #run(): Promise<void> {
    while (this.isLive) {
      await this.#awake();
      const connection = await this.#link.connected();
      if (!this.#found) this.#found = await this.#find(connection);
      else if (this.#state.tag === "joined") await this.#sync(connection, this.#state);
      else if (this.#state.tag === "in") await this.#serve(connection, this.#state.generation);
      else if (this.isLive) await this.#join(connection);
      if (this.isLive) this.#link.leaveSometimes(1);
    }
  }

  async #awake(): Promise<void> {
    for (;;) {
      const leftMs = this.#sleepsUntilMs - this.#nowMs;
      if (leftMs <= 0) return;
      await sleep(this.#site.world.clock, leftMs);
    }
  }

  async #find(connection: ClientConnection): Promise<boolean> {
    const answer = await findCoordinator(connection, this.#dialect, this.options.groupId);
    if (answer.tag === "lost") return false;
    if (answer.response === ErrorCode.NONE) return true;
    if (!isPassing(answer.response)) throw new Error(`FindCoordinator: error ${answer.response}`);
    await this.#link.pause();
    return false;
  }

  async #join(connection: ClientConnection): Promise<void> {
    const { groupId, instanceId } = this.options;
    const model = this.#site.group(groupId);
    const asked = asking(this.#site);
    const memberId = this.#memberId;
    const answer = await joinGroup(connection, this.#dialect, groupId, {
      ...this.options,
      memberId,
      metadata: encodeSubscription(this.#topicNames, this.#revision),
    });
    if (answer.tag === "lost") return;
    const { errorCode, generationId, memberId: given } = answer.response;
    const done = answered(this.#site, asked);
    this.#site.world.tally.checked += 1;
    const isNew = errorCode === ErrorCode.NONE || errorCode === ErrorCode.MEMBER_ID_REQUIRED;
    if (isNew && memberId === "") model.gotId(given, this.#site.givenIds);
    if (isNew && memberId !== "" && given !== memberId)
      throw new Error(`${memberId} is called ${given} now`);
    if (errorCode === ErrorCode.NONE)
      model.joined({ memberId: given, instanceId, generation: generationId }, done);
    if (!this.isLive) return;
    if (isNew) this.#memberId = given;
    if (errorCode === ErrorCode.NONE)
      this.#state = { tag: "joined", generation: generationId, joined: answer.response };
    else if (errorCode === ErrorCode.GROUP_MAX_SIZE_REACHED) await this.#noRoom();
    else if (errorCode !== ErrorCode.MEMBER_ID_REQUIRED)
      await this.#refused(errorCode, "JoinGroup", done);
  }

  async #noRoom(): Promise<void> {
    this.#site.world.sometimes.add("no-room");
    this.#memberId = "";
    this.#state = { tag: "full" };
    await this.#link.pause();
  }

  async #sync(
    connection: ClientConnection,
    { generation, joined }: Extract<State, { tag: "joined" }>,
  ): Promise<void> {
    const { groupId } = this.options;
    const model = this.#site.group(groupId);
    const speaker = this.#speaker(generation);
    // Too early: it is refused, or comes when everybody has the new assignment.
    if (chance(this.#random, 10))
      this.#commitAside(connection, speaker, this.#reading.earlierPlaces);
    const asked = asking(this.#site);
    const answer = await syncGroup(connection, this.#dialect, groupId, speaker, {
      protocolName: joined.protocolName ?? "",
      assignments: this.#assignments(joined),
    });
    if (answer.tag === "lost") {
      // Whoever does not know what became of it asks to join again.
      if (chance(this.#random, 50)) this.#out();
      return;
    }
    const { errorCode, assignment } = answer.response;
    const done = answered(this.#site, asked);
    this.#site.world.tally.checked += 1;
    if (errorCode !== ErrorCode.NONE) {
      await this.#refused(errorCode, "SyncGroup", done);
      return;
    }
    const given = decodeAssignment(assignment);
    model.assigned(speaker, given, done);
    this.#site.world.sometimes.add("assigned");
    if (!this.isLive) return;
    this.#state = { tag: "in", generation, topicIds: given.topicIds };
    const keys = new Set(given.partitions);
    const topics = this.#site.topics.filter(({ topicId }) =>
      given.topicIds.includes(topicId ?? ""),
    );
    this.#reading.assigned(
      topics.flatMap(({ partitions }) => partitions.filter((one) => keys.has(partitionKey(one)))),
    );
  }

  #commitAside(
    connection: ClientConnection,
    speaker: Speaker,
    drafts: readonly CommitDraft[],
  ): void {
    this.#commit(connection, speaker, drafts).catch((error: unknown) => this.#site.failed(error));
  }

  #commit(
    connection: ClientConnection,
    speaker: Speaker,
    drafts: readonly CommitDraft[],
  ): Promise<unknown> {
    this.#reading.committed();
    return commit(this.#site, connection, this.#dialect, {
      groupId: this.options.groupId,
      speaker,
      drafts,
      wasRead: true,
      oversized: chance(this.#random, 3),
    });
  }

  /** The leader's plan; nobody else has one. */
  #assignments(joined: JoinGroupResponse): { memberId: string; assignment: Uint8Array }[] {
    if (joined.leader !== this.#memberId) return [];
    if (joined.skipAssignment) {
      this.#site.world.sometimes.add("assignment-skipped");
      return [];
    }
    const members = joined.members.map(({ memberId, groupInstanceId }) => ({
      memberId,
      instanceId: groupInstanceId,
    }));
    const draft = this.#site.nextNumber();
    const plan = { draft, generation: joined.generationId, topics: this.#topics };
    return assign(members, plan).map((one) => ({
      memberId: one.memberId,
      assignment: encodeAssignment(one),
    }));
  }

  async #serve(connection: ClientConnection, generation: number): Promise<void> {
    await sleep(this.#site.world.clock, this.options.heartbeatMs);
    await this.#awake();
    if (this.#state.tag !== "in" || this.#state.generation !== generation) return;
    const { topicIds } = this.#state;
    if (this.#topics.some(({ topicId = "" }) => !topicIds.includes(topicId)))
      if (chance(this.#random, NOTICES)) {
        this.#site.world.sometimes.add("saw-another-topic");
        this.rejoin();
        return;
      }
    const speaker = this.#speaker(generation);
    if (this.#reading.hasNews && chance(this.#random, COMMITS)) this.#commits += 1;
    const commits = Array.from({ length: this.#commits }, () =>
      this.#commit(connection, speaker, this.#reading.places),
    );
    this.#commits = 0;
    await Promise.all([...commits, this.#beat(connection, speaker)]);
  }

  async #beat(connection: ClientConnection, speaker: Speaker): Promise<void> {
    const { groupId } = this.options;
    const asked = asking(this.#site);
    const answer = await heartbeat(connection, this.#dialect, groupId, speaker);
    if (answer.tag === "lost") return;
    const done = answered(this.#site, asked);
    this.#site.world.tally.checked += 1;
    if (answer.response === ErrorCode.NONE)
      this.#site.group(groupId).spoke(speaker, done, "a heartbeat");
    else if (this.isLive) await this.#refused(answer.response, "Heartbeat", done);
  }

  /** What a client does about an error. */
  async #refused(
    errorCode: number,
    what: string,
    done: ReturnType<typeof answered>,
  ): Promise<void> {
    const model = this.#site.group(this.options.groupId);
    const { sometimes } = this.#site.world;
    switch (errorCode) {
      case ErrorCode.REBALANCE_IN_PROGRESS:
        if (what === "Heartbeat") model.belongs(this.#memberId, done);
        this.#out();
        break;
      case ErrorCode.ILLEGAL_GENERATION:
        sometimes.add("generation-missed");
        this.#out();
        break;
      case ErrorCode.UNKNOWN_MEMBER_ID:
        sometimes.add("removed");
        model.gone(this.#memberId, done);
        this.#memberId = "";
        this.#out();
        break;
      case ErrorCode.FENCED_INSTANCE_ID:
        sometimes.add("fenced");
        model.gone(this.#memberId, done);
        this.kill();
        break;
      default:
        if (!isPassing(errorCode)) throw new Error(`${what}: error ${errorCode}`);
        this.#found = false;
        await this.#link.pause();
    }
  }

  /** Whatever it had is not its own any more. */
  #out(): void {
    if (!this.isLive) return;
    this.#state = { tag: "out" };
    this.#reading.revoked();
  }

  get #topicNames(): readonly string[] {
    return SUBSCRIPTIONS.get(this.options.groupId) ?? [];
  }

  /** Those of its topics that are there. */
  get #topics(): readonly TopicModel[] {
    return this.#topicNames.flatMap((name) => this.#site.topic(name) ?? []);
  }

  async #goodbye(): Promise<void> {
    const { groupId, instanceId } = this.options;
    const connection = this.#link.current;
    if (connection === undefined || this.#memberId === "") return;
    const memberId = this.#memberId;
    const asked = asking(this.#site);
    const answer = await leaveGroup(connection, this.#dialect, groupId, { memberId, instanceId });
    connection.close();
    if (answer.tag === "lost") return;
    const { response: errorCode } = answer;
    if (errorCode === ErrorCode.NONE) this.#site.world.sometimes.add("left");
    if (
      errorCode === ErrorCode.NONE ||
      errorCode === ErrorCode.UNKNOWN_MEMBER_ID ||
      errorCode === ErrorCode.FENCED_INSTANCE_ID
    )
      this.#site.group(groupId).gone(memberId, answered(this.#site, asked));
    else if (!isPassing(errorCode)) throw new Error(`LeaveGroup: error ${errorCode}`);
  }
}
