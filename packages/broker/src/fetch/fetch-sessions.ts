import { ErrorCode, type FetchRequest } from "@karst/kafka-protocol";
import type { MemoryShare } from "@karst/runtime";
import {
  FetchSession,
  type NamedPartition,
  type PartitionAnswer,
  type WantedPartition,
} from "./fetch-session.ts";

/** Epoch of a full request that asks for a session, and of one that wants none. Either ends the session that it names. */
const INITIAL_EPOCH = 0;
const FINAL_EPOCH = -1;
const NO_SESSION = 0;

export type SessionRequest = Pick<
  FetchRequest,
  "sessionId" | "sessionEpoch" | "topics" | "forgottenTopicsData"
>;

/** How a request is to be answered. */
export type FetchStep =
  | { readonly tag: "refused"; readonly errorCode: number }
  /** Everything that is wanted is answered, and nothing remembered. */
  | { readonly tag: "sessionless"; readonly wanted: readonly WantedPartition[] }
  /** The same, and a session begins where there is room. */
  | { readonly tag: "full"; readonly wanted: readonly WantedPartition[]; readonly byId: boolean }
  | {
      readonly tag: "incremental";
      readonly wanted: readonly WantedPartition[];
      readonly session: FetchSession;
      /** What the session expects as long as no later request of it has come. */
      readonly nextEpoch: number;
    };

/** What is sent. */
export interface FetchReply<Answer> {
  readonly errorCode: number;
  readonly sessionId: number;
  readonly answers: readonly Answer[];
}

export interface FetchSessionsOptions {
  readonly sessionsMax: number;
  /** Over all sessions. */
  readonly partitionsMax: number;
  /** Over all sessions, in memory. */
  readonly bytesMax: number;
  /** Becomes theirs: what finds no room in it has no session. */
  readonly memory: MemoryShare;
  /** A session that was not used for longer makes room for any other. */
  readonly idleMs: number;
  /** A random positive int32. */
  readonly newId: () => number;
}

interface Slot {
  readonly session: FetchSession;
  readonly lastUsedMs: number;
}

/**
 * The fetch sessions of a broker's clients. They are a saving and no more: a client whose session has gone asks for everything again.
 *
 * A full house, in number, in partitions or in memory, takes a new session in place of the one that was unused for longest, if that was
 * for more than `idleMs`; else of the smallest that has been in use for so long, if it is smaller than the new one; else the client gets
 * none.
 *
 * Invariants: `#slots` is in the order of last use, at most `sessionsMax`; `#partitions` is the sum of their sizes, at most `partitionsMax`;
 * the share of memory holds their bytes, at most `bytesMax`.
 */
export class FetchSessions {
  readonly #options: FetchSessionsOptions;
  readonly #slots = new Map<number, Slot>();
  #partitions = 0;

  constructor(options: FetchSessionsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#slots.size;
  }

  get partitions(): number {
    return this.#partitions;
  }

  /** Forgets them all; there will be no more. */
  close(): void {
    for (const id of this.#slots.keys()) this.#remove(id);
    this.#options.memory.close();
  }

  /** Takes a request, which has taken effect on its session when this returns. `byId`: whether topics go by ids in its version. */
  begin(request: SessionRequest, byId: boolean, nowMs: number): FetchStep {
    const { sessionId, sessionEpoch } = request;
    const wanted = wantedOf(request);
    if (sessionEpoch === INITIAL_EPOCH || sessionEpoch === FINAL_EPOCH) {
      this.#remove(sessionId);
      return sessionEpoch === FINAL_EPOCH
        ? { tag: "sessionless", wanted }
        : { tag: "full", wanted, byId };
    }
    const session = this.#slots.get(sessionId)?.session;
    if (session === undefined) return refused(ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
    if (session.epoch !== sessionEpoch) return refused(ErrorCode.INVALID_FETCH_SESSION_EPOCH);
    if (session.byId !== byId) return refused(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR);
    this.#remove(sessionId);
    session.advance(wanted, forgottenOf(request));
    if (session.size === 0) return { tag: "sessionless", wanted: [] };
    if (!this.#tryAdd(session, nowMs)) return refused(ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
    return { tag: "incremental", wanted: session.wanted, session, nextEpoch: session.epoch };
  }

  /** What of the answers, one for each wanted partition of the step, is sent. */
  reply<Answer extends PartitionAnswer>(
    step: Exclude<FetchStep, { readonly tag: "refused" }>,
    answers: readonly Answer[],
    nowMs: number,
  ): FetchReply<Answer> {
    switch (step.tag) {
      case "sessionless":
        return { errorCode: ErrorCode.NONE, sessionId: NO_SESSION, answers };
      case "full": {
        const sessionId = this.#open(step.byId, answers, nowMs);
        return { errorCode: ErrorCode.NONE, sessionId, answers };
      }
      case "incremental": {
        const { session, nextEpoch } = step;
        const { id: sessionId } = session;
        // A later request has changed what is wanted: this answer would count as told to one that did not wait for it.
        if (session.epoch !== nextEpoch)
          return { errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH, sessionId, answers: [] };
        return { errorCode: ErrorCode.NONE, sessionId, answers: session.tell(answers) };
      }
    }
  }

  /** @returns the new session's id, or that of no session. */
  #open(byId: boolean, answers: readonly PartitionAnswer[], nowMs: number): number {
    if (answers.length > this.#options.partitionsMax) return NO_SESSION;
    let id = this.#options.newId();
    while (this.#slots.has(id)) id = this.#options.newId();
    const session = new FetchSession({ id, byId, createdMs: nowMs }, answers);
    return this.#tryAdd(session, nowMs) ? id : NO_SESSION;
  }

  /** Lets others go where it has to; false: that does not suffice. */
  #tryAdd(session: FetchSession, nowMs: number): boolean {
    const { sessionsMax, partitionsMax, bytesMax, memory } = this.#options;
    const { size, bytes } = session;
    if (size > partitionsMax || bytes > bytesMax) return false;
    while (
      this.#slots.size >= sessionsMax ||
      this.#partitions + size > partitionsMax ||
      memory.bytes + bytes > bytesMax ||
      !memory.tryTake(bytes)
    ) {
      const evicted = this.#evictable(size, nowMs);
      if (evicted === undefined) return false;
      this.#remove(evicted.id);
    }
    this.#slots.set(session.id, { session, lastUsedMs: nowMs });
    this.#partitions += size;
    return true;
  }

  #evictable(size: number, nowMs: number): FetchSession | undefined {
    const { idleMs } = this.#options;
    const [oldest] = this.#slots.values();
    if (oldest !== undefined && nowMs - oldest.lastUsedMs > idleMs) return oldest.session;
    let smallest: FetchSession | undefined;
    for (const { session, lastUsedMs } of this.#slots.values()) {
      if (lastUsedMs - session.createdMs <= idleMs) continue;
      if (session.size < (smallest?.size ?? size)) smallest = session;
    }
    return smallest;
  }

  /** To be called before its size changes. */
  #remove(id: number): void {
    const session = this.#slots.get(id)?.session;
    if (session === undefined) return;
    this.#slots.delete(id);
    this.#partitions -= session.size;
    this.#options.memory.give(session.bytes);
  }
}

function refused(errorCode: number): FetchStep {
  return { tag: "refused", errorCode };
}

/** Only what is needed is kept: a request may lie in a session for long. */
function wantedOf({ topics }: SessionRequest): WantedPartition[] {
  const wanted: WantedPartition[] = [];
  for (const { topic, topicId, partitions } of topics) {
    for (const one of partitions) {
      const { partition, currentLeaderEpoch, fetchOffset, lastFetchedEpoch, partitionMaxBytes } =
        one;
      wanted.push({
        topic,
        topicId,
        partition,
        currentLeaderEpoch,
        fetchOffset,
        lastFetchedEpoch,
        partitionMaxBytes,
      });
    }
  }
  return wanted;
}

function forgottenOf({ forgottenTopicsData }: SessionRequest): NamedPartition[] {
  return forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
    partitions.map((partition) => ({ topic, topicId, partition })),
  );
}
