import { ErrorCode, type JoinGroupResponse } from "@karst/kafka-protocol";
import { sleep } from "@karst/runtime";
import type { SeededRandom } from "@karst/runtime/testing";
import type { ClientConnection } from "../kafka/client-connection.ts";
import { Link } from "../kafka/site.ts";
import { chance, pick } from "../world/draw.ts";
import { assign, decodeAssignment, encodeAssignment, encodeSubscription } from "./assignment.ts";
import { commit, fetch } from "./committing.ts";
import type { Dialect } from "./dialect.ts";
import { findCoordinator, heartbeat, joinGroup, leaveGroup, syncGroup } from "./group-calls.ts";
import type { Speaker } from "./group-model.ts";
import { answered, asking, type GroupSite, isPassing } from "./group-site.ts";
import { HEARTBEAT_MS, REBALANCE_MS, SESSION_MS, TOPIC } from "./limits.ts";

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
}

export function drawMember(
  random: SeededRandom,
): Omit<MemberOptions, "name" | "groupId" | "instanceId" | "dialect"> {
  return {
    sessionTimeoutMs: pick(random, SESSION_MS),
    rebalanceTimeoutMs: pick(random, REBALANCE_MS),
    heartbeatMs: pick(random, HEARTBEAT_MS),
    protocols: pick(random, [["range"], ["range", "sticky"], ["sticky", "range"]]),
  };
}

/** `out`: asks to join. `joined`: asks for its assignment. `in`: has it. `full`: the group has no room. `ended`: does nothing any more. */
type State =
  | { readonly tag: "out" | "full" | "ended" }
  | { readonly tag: "joined"; readonly generation: number; readonly joined: JoinGroupResponse }
  | { readonly tag: "in"; readonly generation: number; readonly partitions: readonly number[] };

/** One process that is a member of a group, for as long as it lives. */
export class GroupMember {
  readonly options: MemberOptions;
  readonly #site: GroupSite;
  readonly #random: SeededRandom;
  readonly #link: Link;
  readonly #dialect: Dialect;
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
  get held(): (Speaker & { readonly partitions: readonly number[] }) | undefined {
    const { tag } = this.#state;
    if (tag !== "in") return undefined;
    return { ...this.#speaker(this.#state.generation), partitions: this.#state.partitions };
  }

  /** Commits so many offsets: at once where it can, else when it comes to that. */
  commit(times: number): void {
    const { current } = this.#link;
    const state = this.#state;
    if (state.tag === "in" && current !== undefined && this.#sleepsUntilMs <= this.#nowMs) {
      const speaker = this.#speaker(state.generation);
      for (let i = 0; i < times; i += 1) this.#commitAside(current, speaker, state.partitions);
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
    this.#state = { tag: "out" };
  }

  /** Ends in an instant. */
  kill(): void {
    this.#state = { tag: "ended" };
    this.#link.current?.close();
  }

  /** Ends in order. */
  leave(): void {
    if (!this.isLive) return;
    this.#state = { tag: "ended" };
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
      metadata: encodeSubscription(TOPIC, this.#revision),
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
    if (chance(this.#random, 10)) this.#commitAside(connection, speaker, [0]);
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
    this.#state = { tag: "in", generation, partitions: given.partitions };
    if (given.partitions.length > 0)
      await fetch(this.#site, connection, this.#dialect, groupId, given.partitions);
  }

  #commitAside(
    connection: ClientConnection,
    speaker: Speaker,
    partitions: readonly number[],
  ): void {
    this.#commit(connection, speaker, partitions).catch((error: unknown) =>
      this.#site.failed(error),
    );
  }

  #commit(
    connection: ClientConnection,
    speaker: Speaker,
    partitions: readonly number[],
  ): Promise<unknown> {
    return commit(this.#site, connection, this.#dialect, {
      groupId: this.options.groupId,
      speaker,
      partitions,
      oversized: chance(this.#random, 3) ? partitions[0] : undefined,
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
    const partitions = this.#site.topic(TOPIC)?.partitions.length ?? 0;
    const draft = this.#site.nextNumber();
    return assign(members, partitions, joined.generationId, draft).map((one) => ({
      memberId: one.memberId,
      assignment: encodeAssignment(one),
    }));
  }

  async #serve(connection: ClientConnection, generation: number): Promise<void> {
    await sleep(this.#site.world.clock, this.options.heartbeatMs);
    await this.#awake();
    if (this.#state.tag !== "in" || this.#state.generation !== generation) return;
    const { groupId } = this.options;
    const { partitions } = this.#state;
    const speaker = this.#speaker(generation);
    const commits = Array.from({ length: this.#commits }, () =>
      this.#commit(connection, speaker, partitions),
    );
    this.#commits = 0;
    await Promise.all([...commits, this.#beat(connection, speaker)]);
    if (chance(this.#random, 10) && partitions.length > 0)
      await fetch(this.#site, connection, this.#dialect, groupId, partitions);
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

  #out(): void {
    if (this.isLive) this.#state = { tag: "out" };
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
