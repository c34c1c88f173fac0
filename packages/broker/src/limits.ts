const MiB = 1024 * 1024;

/** Every bound of a broker. Settings: plain data, overridden at start. */
export interface BrokerLimits {
  /** Open connections; one more is closed at once. */
  readonly connectionsMax: number;
  /** Largest request frame. */
  readonly frameBytesMax: number;
  /**
   * Largest frame before a connection's first valid request. Less than `frameBytesMax` refuses clients that know the broker's versions and
   * begin their next connection with a produce request.
   */
  readonly firstFrameBytesMax: number;
  /** Request bytes held over all connections: above it, reading pauses. At least `frameBytesMax`, at most half the memory budget. */
  readonly requestBytesMax: number;
  /** Requests of one connection that are not answered yet: above it, reading from it pauses. */
  readonly requestsInFlightMax: number;
  /** Response bytes of one connection that the socket has not taken: above it, its requests wait. */
  readonly responseBytesMax: number;
  /** Record bytes in one Fetch response, whatever the client asks for (the first batch always fits). */
  readonly fetchBytesMax: number;
  /** A request frame must arrive within this time of its first byte, a response leave within it. */
  readonly transferTimeoutMs: number;
  /** A connection without a request for this long is closed. */
  readonly idleTimeoutMs: number;
  /** A Fetch waits at most this long, whatever the client asks for. */
  readonly fetchWaitMsMax: number;
  /** Fetch sessions; a client that finds no room sends its requests in full. */
  readonly fetchSessionsMax: number;
  /** Partitions in all fetch sessions together. */
  readonly fetchSessionPartitionsMax: number;
  /** What all fetch sessions may take in memory, within the engine's budget: some 400 bytes for each partition, more for long names. */
  readonly fetchSessionBytesMax: number;
  /** A fetch session that was not used for longer gives way to a new one; one that has been in use for longer, to a larger one. */
  readonly fetchSessionIdleMs: number;
  /**
   * Elements of all arrays of one request together: topics, partitions, members. A request with more is malformed, and its connection
   * closes. What is decoded takes up to some 450 bytes for each.
   */
  readonly requestEntriesMax: number;
  /** Partitions of a topic made by its first use. */
  readonly defaultPartitions: number;
  /** Consumer groups that this node coordinates. */
  readonly groupsMax: number;
  /** Members of a group; ids that have not joined yet are as many at most. */
  readonly groupMembersMax: number;
  /** Bytes of the metadata of all members of a group, and of all their assignments. */
  readonly groupBytesMax: number;
  /**
   * What all groups may take in memory, within the engine's budget: members with what waits for them, assignments, committed offsets.
   * Above it, and above the budget, what would make them grow is refused with COORDINATOR_NOT_AVAILABLE, which clients try again.
   */
  readonly groupsBytesMax: number;
  /** What a member may ask for as its session's length. */
  readonly sessionTimeoutMsMin: number;
  readonly sessionTimeoutMsMax: number;
  /** Characters of the metadata of a committed offset. */
  readonly offsetMetadataLengthMax: number;
  /** How long the offsets of a group stay after its last member has left, or after the commit where it never had one. */
  readonly offsetsRetentionMs: number;
  /** Pause between two searches for offsets to expire. */
  readonly offsetsSweepIntervalMs: number;
}

export const DEFAULT_BROKER_LIMITS: BrokerLimits = {
  connectionsMax: 10_000,
  frameBytesMax: 100 * MiB,
  firstFrameBytesMax: 100 * MiB,
  requestBytesMax: 128 * MiB,
  requestsInFlightMax: 1_000,
  responseBytesMax: 8 * MiB,
  fetchBytesMax: 55 * MiB,
  transferTimeoutMs: 30_000,
  idleTimeoutMs: 600_000,
  fetchWaitMsMax: 60_000,
  fetchSessionsMax: 1_000,
  fetchSessionPartitionsMax: 200_000,
  fetchSessionBytesMax: 64 * MiB,
  fetchSessionIdleMs: 120_000,
  requestEntriesMax: 100_000,
  defaultPartitions: 1,
  groupsMax: 100_000,
  groupMembersMax: 2_000,
  groupBytesMax: 2 * MiB,
  groupsBytesMax: 64 * MiB,
  sessionTimeoutMsMin: 6_000,
  sessionTimeoutMsMax: 1_800_000,
  offsetMetadataLengthMax: 4_096,
  offsetsRetentionMs: 7 * 86_400_000,
  offsetsSweepIntervalMs: 600_000,
};

/** How long the first members of a group are waited for, unless the broker's options say otherwise. */
export const GROUP_INITIAL_REBALANCE_DELAY_MS: number = 3_000;

/** How long FindCoordinator waits for the state of groups to be loaded. */
export const COORDINATOR_LOAD_WAIT_MS: number = 5_000;

/** First and longest pause between two tries of loading the state of groups. */
export const COORDINATOR_RETRY_MS_MIN: number = 100;
export const COORDINATOR_RETRY_MS_MAX: number = 10_000;

/** Pause before a group tries again what it could not do: write a change, find somebody to lead. */
export const GROUP_RETRY_MS: number = 1_000;

/** Groups looked at in one turn in search of offsets to expire, and changes in one write. */
export const SWEEP_GROUPS_PER_TURN: number = 100;
export const SWEEP_CHANGES_PER_WRITE: number = 1_000;
