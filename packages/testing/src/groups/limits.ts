import type { BrokerLimits } from "@karst/broker";
import { BROKER_LIMITS } from "../kafka/limits.ts";

/** The topics that the members of each group subscribe to. Others may have offsets for any of them. */
export const SUBSCRIPTIONS: ReadonlyMap<string, readonly string[]> = new Map([
  ["g0", ["t0", "t1"]],
  ["g1", ["t0"]],
]);
/** Groups that have members, and one that has none. */
export const GROUPS: readonly [string, string] = ["g0", "g1"];
export const ALONE = "alone";

/** Sessions, and the time for joining again, that members ask for. Less than a client waits for an answer. */
export const SESSION_MS: readonly number[] = [1_000, 2_000, 5_000];
export const REBALANCE_MS: readonly number[] = [500, 1_000, 3_000];
/** Between two heartbeats. */
export const HEARTBEAT_MS: readonly number[] = [150, 300, 450];

/** Offsets of a group without members stay for so long. */
export const RETENTION_MS = 40_000;
/** Between two searches for offsets that may go. */
export const SWEEP_MS = 3_000;

/** With faults over and a broker there, every group is stable within this time: rebalance timeout, session, and a client's patience. */
export const STABLE_WITHIN_MS = 20_000;

/** What the families' brokers have in common, and short times. */
export const GROUP_BROKER_LIMITS: Partial<BrokerLimits> = {
  ...BROKER_LIMITS,
  connectionsMax: 100,
  sessionTimeoutMsMin: 500,
  sessionTimeoutMsMax: 30_000,
  offsetsRetentionMs: RETENTION_MS,
  offsetsSweepIntervalMs: SWEEP_MS,
  offsetMetadataLengthMax: 20,
};
