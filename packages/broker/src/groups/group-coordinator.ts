import {
  type Engine,
  hasStateStream,
  openStateStream,
  type StateStream,
  type StateStreamLimits,
  type Topics,
} from "@karst/core";
import { ErrorCode } from "@karst/kafka-protocol";
import { isKarstError, MemoryShare, type Runtime, sleep, type Timer } from "@karst/runtime";
import { errorMessageOf } from "../kafka-errors.ts";
import {
  type BrokerLimits,
  COORDINATOR_LOAD_WAIT_MS,
  COORDINATOR_RETRY_MS_MAX,
  COORDINATOR_RETRY_MS_MIN,
} from "../limits.ts";
import { sweepOffsets } from "./expiry.ts";
import { GroupMemory } from "./group-memory.ts";
import { LiveGroups } from "./live-groups.ts";

export interface GroupCoordinatorOptions {
  readonly engine: Engine;
  readonly topics: Topics;
  readonly runtime: Runtime;
  readonly limits: BrokerLimits;
  readonly initialRebalanceDelayMs: number;
  readonly stateLimits?: Partial<StateStreamLimits>;
}

type CoordinatorState =
  /** Nobody has used groups. */
  | { readonly tag: "idle" }
  | { readonly tag: "loading" }
  | { readonly tag: "ready"; readonly groups: LiveGroups; readonly state: StateStream }
  | { readonly tag: "closed" };

/** The groups, or what a request for one is refused with. */
export type GroupsAccess =
  | { readonly tag: "ready"; readonly groups: LiveGroups }
  | { readonly tag: "refused"; readonly errorCode: number };

/**
 * Loads the groups of this node and lets them go: at the end, or when the state stream has failed; then it loads them again.
 *
 * Invariants: one attempt at loading at a time; groups are reached through `access` only while their state stream has not failed. A root
 * in which nobody has used groups gets no stream.
 */
export class GroupCoordinator {
  readonly #options: GroupCoordinatorOptions;
  readonly #closing = new AbortController();
  #state: CoordinatorState = { tag: "idle" };
  #loading: Promise<void> = Promise.resolve();
  #sweepTimer: Timer | undefined;
  #sweep: Promise<void> = Promise.resolve();

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options;
    if (hasStateStream(options.engine, "groups")) this.#load();
  }

  get access(): GroupsAccess {
    switch (this.#state.tag) {
      case "ready":
        return { tag: "ready", groups: this.#state.groups };
      case "closed":
        return { tag: "refused", errorCode: ErrorCode.NOT_COORDINATOR };
      case "idle":
        this.#load();
        return { tag: "refused", errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS };
      case "loading":
        return { tag: "refused", errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS };
    }
  }

  /** As `access`, after the loading that is under way; but for no longer than a client is patient. */
  async find(): Promise<GroupsAccess> {
    if (this.access.tag === "refused" && this.#state.tag === "loading") {
      const waited = new AbortController();
      const patience = sleep(this.#options.runtime.clock, COORDINATOR_LOAD_WAIT_MS, waited.signal);
      patience.catch(() => undefined);
      await Promise.race([this.#loading, patience]);
      waited.abort();
    }
    return this.access;
  }

  /** Answers whoever waits, and lets the stream go. */
  async close(): Promise<void> {
    const before = this.#state;
    this.#state = { tag: "closed" };
    this.#closing.abort();
    this.#sweepTimer?.cancel();
    if (before.tag === "ready") await this.#release(before);
    await Promise.all([this.#loading, this.#sweep]);
  }

  #load(): void {
    this.#state = { tag: "loading" };
    this.#loading = this.#loadUntilDone();
  }

  /** Never rejects. */
  async #loadUntilDone(): Promise<void> {
    const { engine, runtime, stateLimits = {} } = this.#options;
    let pauseMs = COORDINATOR_RETRY_MS_MIN;
    while (!this.#closing.signal.aborted) {
      try {
        const state = await openStateStream({ engine, kind: "groups", limits: stateLimits });
        await this.#begin(state);
        return;
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        const level = isKarstError(error, "corrupt", "internal") ? "error" : "warn";
        runtime.log[level]("groups-load-failed", { reason: errorMessageOf(error), pauseMs });
      }
      await sleep(runtime.clock, pauseMs, this.#closing.signal).catch(() => undefined);
      pauseMs = Math.min(2 * pauseMs, COORDINATOR_RETRY_MS_MAX);
    }
  }

  async #begin(state: StateStream): Promise<void> {
    const { engine, runtime, limits, initialRebalanceDelayMs } = this.#options;
    if (this.#closing.signal.aborted) {
      await state.close();
      return;
    }
    let groups: LiveGroups;
    try {
      groups = new LiveGroups({
        state,
        runtime,
        limits,
        memory: new GroupMemory(new MemoryShare(engine.memory, "groups")),
        initialRebalanceDelayMs,
        onFailed: (error) => this.#fail(groups, error),
      });
    } catch (error) {
      await state.close();
      throw error;
    }
    this.#state = { tag: "ready", groups, state };
    runtime.log.info("groups-loaded", { entries: state.size });
    this.#armSweep();
  }

  /** Everything derived from the state is thrown away, and made again from what is on record. */
  #fail(groups: LiveGroups, error: unknown): void {
    const before = this.#state;
    if (before.tag !== "ready" || before.groups !== groups) return;
    this.#options.runtime.log.warn("groups-failed", { reason: errorMessageOf(error) });
    this.#sweepTimer?.cancel();
    this.#state = { tag: "loading" };
    this.#loading = this.#release(before).then(() => this.#loadUntilDone());
  }

  /** Never rejects. */
  async #release({ groups, state }: Extract<CoordinatorState, { tag: "ready" }>): Promise<void> {
    groups.end();
    try {
      await state.close();
    } catch (error) {
      this.#options.runtime.log.warn("groups-close-failed", { reason: errorMessageOf(error) });
    }
  }

  #armSweep(): void {
    const { runtime, limits, engine, topics } = this.#options;
    this.#sweepTimer?.cancel();
    this.#sweepTimer = runtime.clock.setTimer(limits.offsetsSweepIntervalMs, () => {
      if (this.#state.tag !== "ready") return;
      this.#sweep = sweepOffsets({
        groups: this.#state.groups,
        engine,
        topics,
        clock: runtime.clock,
        log: runtime.log,
        retentionMs: limits.offsetsRetentionMs,
        signal: this.#closing.signal,
      }).then(() => {
        if (!this.#closing.signal.aborted) this.#armSweep();
      });
    });
  }
}
