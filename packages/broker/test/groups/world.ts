import { type Engine, openEngine, openTopics, type Topics } from "@karst/core";
import { ErrorCode } from "@karst/kafka-protocol";
import { MemoryBucket, memoryObjectStore } from "@karst/objectstore";
import { type Clock, MemoryBudget, SlabPool, type Timer, utf8Encode } from "@karst/runtime";
import { type SimulatedRuntime, simulatedRuntime } from "@karst/runtime/testing";
import { fileWal, simulatedDevice } from "@karst/wal";
import { GroupCoordinator } from "../../src/groups/group-coordinator.ts";
import type { JoinAnswer, JoinEvent } from "../../src/groups/group-event.ts";
import type { PartitionOffset } from "../../src/groups/group-offsets.ts";
import type { Committer, CommitOutcome, LiveGroups } from "../../src/groups/live-groups.ts";
import { type BrokerLimits, DEFAULT_BROKER_LIMITS } from "../../src/limits.ts";

const MiB = 1024 * 1024;

/** A coordinator over a simulated disk, and what outlives both. Nothing goes on by itself but what needs no time. */
export class GroupWorld {
  readonly bucket: MemoryBucket = new MemoryBucket();
  runtime: SimulatedRuntime;
  engine!: Engine;
  topics!: Topics;
  coordinator!: GroupCoordinator;
  memory!: MemoryBudget;
  readonly limits: BrokerLimits;
  /** How long each step of the disk takes. */
  diskMs = 0;

  private constructor(limits: Partial<BrokerLimits>) {
    this.runtime = simulatedRuntime({ seed: 1, autoDefer: true });
    this.limits = { ...DEFAULT_BROKER_LIMITS, ...limits };
  }

  static async open(limits: Partial<BrokerLimits> = {}): Promise<GroupWorld> {
    const world = new GroupWorld(limits);
    await world.#open();
    await world.topics.create({ name: "t", partitions: 4 });
    return world;
  }

  /** The process dies, and whatever was not synced with it. */
  async crash(): Promise<void> {
    this.runtime.disk.crash();
    await this.drive(this.engine.abandon());
    await this.coordinator.close();
    this.runtime.clock.clear();
    this.diskMs = 0;
    this.runtime = this.runtime.restart();
    await this.#open();
  }

  /** Another coordinator over the same engine. `before` runs while there is none. */
  async reloadGroups(before: () => void): Promise<void> {
    await this.drive(this.coordinator.close());
    before();
    this.#coordinate();
  }

  async close(): Promise<void> {
    this.diskMs = 0;
    await this.drive(this.#closeAll());
  }

  /** Lets time pass until the promise settles. */
  async drive<T>(promise: Promise<T>): Promise<T> {
    while (!(await settles(promise))) await this.runtime.clock.advance(10);
    return promise;
  }

  get topicId(): string {
    return this.topics.byName("t")?.topicId ?? "";
  }

  async groups(): Promise<LiveGroups> {
    const access = await this.coordinator.find();
    if (access.tag !== "ready") throw new Error(`refused with ${access.errorCode}`);
    return access.groups;
  }

  /** A join by a client without member id; `closed` ends its connection. */
  async join(
    groupId: string,
    options: Partial<JoinEvent> = {},
  ): Promise<{ readonly answer: Promise<JoinAnswer>; readonly closed: () => void }> {
    let listener: (() => void) | undefined;
    const answer = (await this.groups()).join(
      groupId,
      {
        memberId: "",
        instanceId: null,
        clientId: "client",
        clientHost: "/127.0.0.1",
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 60_000,
        protocolType: "consumer",
        protocols: [{ name: "range", metadata: utf8Encode("m") }],
        idRequired: false,
        canSkipAssignment: true,
        ...options,
      },
      (onClosed) => {
        listener = onClosed;
        return () => {
          listener = undefined;
        };
      },
    );
    return { answer, closed: () => listener?.() };
  }

  /** A stable group of one member. */
  async stable(groupId: string, options: Partial<JoinEvent> = {}): Promise<Committer> {
    const { answer } = await this.join(groupId, options);
    const { memberId, generation } = await answer;
    const instanceId = options.instanceId ?? null;
    const by = { memberId, generation, instanceId };
    const synced = await this.sync(groupId, by, { [memberId]: "all" });
    if (synced.errorCode !== ErrorCode.NONE) throw new Error(`sync: ${synced.errorCode}`);
    return by;
  }

  async sync(groupId: string, by: Committer, assignments: Readonly<Record<string, string>> = {}) {
    const given = Object.entries(assignments).map(([id, text]) => [id, utf8Encode(text)] as const);
    const request = { ...by, protocolType: null, protocolName: null, assignments: new Map(given) };
    return await (await this.groups()).sync(groupId, request, () => () => undefined);
  }

  async commit(
    groupId: string,
    offset: number,
    by: Committer = { memberId: "", instanceId: null, generation: -1 },
    partition = 0,
  ): Promise<CommitOutcome> {
    const committedMs = this.runtime.clock.wallMs();
    const committed = { offset, leaderEpoch: 1, metadata: `at ${offset}`, committedMs };
    const offsets: PartitionOffset[] = [{ topicId: this.topicId, partition, committed }];
    return (await this.groups()).commit(groupId, by, offsets, ErrorCode.ILLEGAL_GENERATION);
  }

  /** The offset that is committed, durable or not. */
  async committed(groupId: string, partition = 0): Promise<number | undefined> {
    const entry = (await this.groups()).get(groupId);
    return entry?.offsets.get(this.topicId, partition)?.offset;
  }

  async #closeAll(): Promise<void> {
    await this.coordinator.close();
    await this.topics.close();
    await this.engine.close();
  }

  /** Steps that take no time need nobody to let time pass. */
  #diskClock(): Clock {
    const { clock } = this.runtime;
    const setTimer = (delayMs: number, fn: () => void): Timer => {
      if (delayMs > 0) return clock.setTimer(delayMs, fn);
      clock.defer(fn);
      return { cancel: () => undefined };
    };
    return {
      wallMs: () => clock.wallMs(),
      monotonicMs: () => clock.monotonicMs(),
      defer: (fn) => clock.defer(fn),
      setTimer,
    };
  }

  async #open(): Promise<void> {
    const { runtime } = this;
    const memory = new MemoryBudget(32 * MiB);
    this.memory = memory;
    const slabs = new SlabPool({ budget: memory, slabBytes: 64 * 1024, poison: true });
    this.engine = await openEngine({
      objectStore: memoryObjectStore({ bucket: this.bucket }),
      wal: fileWal({
        runtime,
        slabs,
        limits: { segmentBytes: 256 * 1024, firstSegmentBytes: 256 * 1024 },
        device: () =>
          simulatedDevice({
            files: runtime.blocking,
            directory: "/wal",
            clock: this.#diskClock(),
            stepMs: () => this.diskMs,
          }),
      }),
      runtime,
      memory,
      limits: { slabBytes: 64 * 1024 },
    });
    this.topics = await openTopics(this.engine);
    this.#coordinate();
  }

  #coordinate(): void {
    const { runtime } = this;
    const { engine, topics, limits } = this;
    const options = { engine, topics, runtime, limits, initialRebalanceDelayMs: 0 };
    this.coordinator = new GroupCoordinator(options);
  }
}

/** Whether it settles without any time passing. */
export async function settles(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  promise.then(settle, settle);
  for (let turns = 0; turns < 50; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  return settled;
}
