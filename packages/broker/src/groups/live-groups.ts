import type { StateChange, StateStream } from "@karst/core";
import { ErrorCode } from "@karst/kafka-protocol";
import { isKarstError, randomId, type Runtime } from "@karst/runtime";
import { errorMessageOf } from "../kafka-errors.ts";
import type { BrokerLimits } from "../limits.ts";
import { emptyGroup, type Group, type Ticket } from "./group.ts";
import {
  type GroupEvent,
  type GroupRules,
  type JoinAnswer,
  type JoinEvent,
  refusedJoin,
  refusedSync,
  type SyncAnswer,
  type SyncEvent,
} from "./group-event.ts";
import { type EntryHost, GroupEntry } from "./group-entry.ts";
import type { GroupMemory } from "./group-memory.ts";
import type { PartitionOffset } from "./group-offsets.ts";
import { decodeGroup, decodeKey, decodeOffset } from "./group-records.ts";
import { commitError } from "./transition.ts";
import {
  type AnswerEffect,
  errorCodeOf,
  type OnClosed,
  WaitingRequests,
} from "./waiting-requests.ts";

export interface LiveGroupsOptions {
  readonly state: StateStream;
  readonly runtime: Runtime;
  readonly limits: BrokerLimits;
  /** Becomes theirs. */
  readonly memory: GroupMemory;
  readonly initialRebalanceDelayMs: number;
  /** The state cannot be relied on any more: it has to be loaded again. */
  readonly onFailed: (error: unknown) => void;
}

/** Who commits, or says so. */
export interface Committer {
  readonly memberId: string;
  readonly instanceId: string | null;
  /** < 0: outside of any generation. */
  readonly generation: number;
}

export type CommitOutcome =
  | {
      readonly tag: "refused";
      readonly errorCode: number;
      readonly durable: Promise<void> | undefined;
    }
  | { readonly tag: "taken"; readonly durable: Promise<void> };

const CLIENT_ID_LENGTH_MAX = 255;

/**
 * The groups of a loaded state.
 *
 * Invariants: every request that waits is in `#waiting`, and is answered once: by its group, or with NOT_COORDINATOR at the end. What
 * is answered waits until the group's last write is durable. What the entries take in memory is taken from the groups' memory before
 * they grow. After `end` nothing changes, and everything is refused.
 */
export class LiveGroups {
  readonly #options: LiveGroupsOptions;
  readonly #entries = new Map<string, GroupEntry>();
  readonly #waiting = new WaitingRequests();
  readonly #host: EntryHost;
  #durable: Promise<void> | undefined;
  #ended = false;

  /** @throws KarstError `GROUP_STATE_CORRUPT`, `MALFORMED_MESSAGE` (`corrupt`), `MEMORY_BUDGET_EXCEEDED` (`unavailable`). */
  constructor(options: LiveGroupsOptions) {
    this.#options = options;
    this.#host = {
      clock: options.runtime.clock,
      rules: () => this.#rules(),
      memory: options.memory,
      write: (changes) => this.#write(changes),
      answer: (effect, durable) => this.#waiting.answerWhen(effect, durable),
      refused: (entry, event, error) => this.#refused(entry, event, error),
      changed: (entry) => this.#drop(entry),
    };
    try {
      this.#load();
    } catch (error) {
      options.memory.close();
      throw error;
    }
    options.memory.limit(options.limits.groupsBytesMax);
    for (const entry of this.#entries.values()) entry.resume();
  }

  get entries(): Iterable<GroupEntry> {
    return this.#entries.values();
  }

  get(groupId: string): GroupEntry | undefined {
    return this.#entries.get(groupId);
  }

  /** What an answer about this group, or about there being none, has to wait for; undefined: nothing. */
  durableOf(groupId: string): Promise<void> | undefined {
    const entry = this.#entries.get(groupId);
    return entry === undefined ? this.#durable : entry.durable;
  }

  /** What an answer about all groups has to wait for. */
  get durable(): Promise<void> | undefined {
    return this.#durable;
  }

  join(
    groupId: string,
    request: Omit<JoinEvent, "tag" | "ticket" | "freshMemberId">,
    onClosed: OnClosed,
  ): Promise<JoinAnswer> {
    if (groupId === "") return refuseJoin(request, ErrorCode.INVALID_GROUP_ID);
    const { sessionTimeoutMsMin, sessionTimeoutMsMax } = this.#options.limits;
    const { sessionTimeoutMs, memberId } = request;
    if (sessionTimeoutMs < sessionTimeoutMsMin || sessionTimeoutMs > sessionTimeoutMsMax)
      return refuseJoin(request, ErrorCode.INVALID_SESSION_TIMEOUT);
    if (!this.#entries.has(groupId) && memberId !== "")
      return this.#later(groupId, ErrorCode.UNKNOWN_MEMBER_ID, (code) =>
        refusedJoin(memberId, code),
      );
    const entry = this.#ensure(groupId);
    if (typeof entry === "number") return refuseJoin(request, entry);
    return this.#ask(
      entry,
      (ticket) => ({
        ...request,
        tag: "join",
        ticket,
        freshMemberId: this.#mint(request.instanceId ?? request.clientId),
      }),
      (effect) =>
        effect.tag === "joined" ? effect.answer : refusedJoin(memberId, errorCodeOf(effect)),
      { memberId, onClosed },
    );
  }

  sync(
    groupId: string,
    request: Omit<SyncEvent, "tag" | "ticket">,
    onClosed: OnClosed,
  ): Promise<SyncAnswer> {
    if (groupId === "") return Promise.resolve(refusedSync(ErrorCode.INVALID_GROUP_ID));
    const entry = this.#entries.get(groupId);
    if (entry === undefined) return this.#later(groupId, ErrorCode.UNKNOWN_MEMBER_ID, refusedSync);
    return this.#ask(
      entry,
      (ticket) => ({ ...request, tag: "sync", ticket }),
      (effect) => (effect.tag === "synced" ? effect.answer : refusedSync(errorCodeOf(effect))),
      { memberId: request.memberId, onClosed },
    );
  }

  heartbeat(groupId: string, by: Committer): Promise<number> {
    if (groupId === "") return Promise.resolve(ErrorCode.INVALID_GROUP_ID);
    const entry = this.#entries.get(groupId);
    if (entry === undefined) return this.#later(groupId, ErrorCode.UNKNOWN_MEMBER_ID, itself);
    return this.#ask(entry, (ticket) => ({ tag: "heartbeat", ticket, ...by }), errorCodeOf);
  }

  leave(
    groupId: string,
    who: { readonly memberId: string; readonly instanceId: string | null },
  ): Promise<number> {
    if (groupId === "") return Promise.resolve(ErrorCode.INVALID_GROUP_ID);
    const entry = this.#entries.get(groupId);
    if (entry === undefined) return this.#later(groupId, ErrorCode.UNKNOWN_MEMBER_ID, itself);
    return this.#ask(entry, (ticket) => ({ tag: "leave", ticket, ...who }), errorCodeOf);
  }

  delete(groupId: string): Promise<number> {
    const entry = this.#entries.get(groupId);
    if (entry === undefined) return this.#later(groupId, ErrorCode.GROUP_ID_NOT_FOUND, itself);
    return this.#ask(entry, (ticket) => ({ tag: "delete", ticket }), errorCodeOf);
  }

  /**
   * @param unknownGroup the error for a generation of a group that does not exist.
   * @param offsets at least one.
   */
  commit(
    groupId: string,
    by: Committer,
    offsets: readonly PartitionOffset[],
    unknownGroup: number,
  ): CommitOutcome {
    const refused = (errorCode: number): CommitOutcome => ({
      tag: "refused",
      errorCode,
      durable: this.durableOf(groupId),
    });
    if (this.#ended) return refused(ErrorCode.NOT_COORDINATOR);
    if (!this.#entries.has(groupId) && by.generation >= 0) return refused(unknownGroup);
    const entry = this.#ensure(groupId);
    if (typeof entry === "number") return refused(entry);
    const error = commitError(entry.group, by);
    if (error !== undefined) return refused(error);
    try {
      const durable = entry.commit(offsets);
      entry.dispatch({ tag: "touched", memberId: by.memberId });
      return { tag: "taken", durable };
    } catch (cause) {
      this.#drop(entry);
      return refused(this.#failedWrite(groupId, cause));
    }
  }

  /** Forgets offsets. Resolves with an error code when that is durable. */
  async deleteOffsets(
    groupId: string,
    offsets: readonly { readonly topicId: string; readonly partition: number }[],
  ): Promise<number> {
    const entry = this.#entries.get(groupId);
    if (entry === undefined || this.#ended) return ErrorCode.NOT_COORDINATOR;
    try {
      const durable = entry.forget(offsets);
      this.#drop(entry);
      await durable;
      return ErrorCode.NONE;
    } catch (cause) {
      return this.#failedWrite(groupId, cause);
    }
  }

  /** Answers everybody who waits with NOT_COORDINATOR. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const entry of this.#entries.values()) entry.stop();
    this.#entries.clear();
    this.#waiting.refuseAll(ErrorCode.NOT_COORDINATOR);
    this.#options.memory.close();
  }

  /** Groups first: an offset without one is of a group that nobody ever joined. */
  #load(): void {
    const { state, runtime } = this.#options;
    for (const { key, value } of state.entries()) {
      const decoded = decodeKey(key);
      if (decoded.tag === "group") this.#add(decodeGroup(decoded.groupId, value));
    }
    const nowMs = runtime.clock.wallMs();
    for (const { key, value } of state.entries()) {
      const decoded = decodeKey(key);
      if (decoded.tag !== "offset") continue;
      const { groupId, topicId, partition } = decoded;
      const entry = this.#entries.get(groupId) ?? this.#add(emptyGroup(groupId, nowMs));
      entry.load({ topicId, partition, committed: decodeOffset(value) });
    }
  }

  #add(group: Group): GroupEntry {
    const entry = new GroupEntry(group, this.#host);
    this.#entries.set(group.groupId, entry);
    return entry;
  }

  /** The group, made where there is none; or the error code with which whoever needs it is refused. */
  #ensure(groupId: string): GroupEntry | number {
    const known = this.#entries.get(groupId);
    if (known !== undefined) return known;
    if (this.#ended) return ErrorCode.NOT_COORDINATOR;
    const { limits, runtime } = this.#options;
    if (this.#entries.size >= limits.groupsMax) {
      runtime.log.warn("too-many-groups", { groups: this.#entries.size });
      return ErrorCode.GROUP_MAX_SIZE_REACHED;
    }
    let made: GroupEntry;
    try {
      made = this.#add(emptyGroup(groupId, runtime.clock.wallMs()));
    } catch (error) {
      return this.#failedWrite(groupId, error);
    }
    // One of this name may have been deleted just now.
    if (this.#durable !== undefined) made.restsOn(this.#durable);
    return made;
  }

  #drop(entry: GroupEntry): void {
    if (!entry.isForgettable || this.#entries.get(entry.groupId) !== entry) return;
    entry.drop();
    this.#entries.delete(entry.groupId);
  }

  #rules(): GroupRules {
    const { limits, runtime, initialRebalanceDelayMs } = this.#options;
    return {
      nowMs: runtime.clock.wallMs(),
      initialRebalanceDelayMs,
      membersMax: limits.groupMembersMax,
      bytesMax: limits.groupBytesMax,
    };
  }

  #mint(prefix: string): string {
    const id = randomId(this.#options.runtime.random);
    const uuid = [0, 8, 12, 16, 20].map((from, at, all) => id.slice(from, all[at + 1] ?? 32));
    return `${prefix.slice(0, CLIENT_ID_LENGTH_MAX)}-${uuid.join("-")}`;
  }

  /** Gives an event to a group, and resolves with the answer to it. */
  #ask<Answer>(
    entry: GroupEntry,
    eventOf: (ticket: Ticket) => GroupEvent,
    answerOf: (effect: AnswerEffect) => Answer,
    parked?: { readonly memberId: string; readonly onClosed: OnClosed },
  ): Promise<Answer> {
    const { ticket, answer } = this.#waiting.open(answerOf);
    if (this.#ended) {
      this.#waiting.refuse(ticket, ErrorCode.NOT_COORDINATOR);
      return answer;
    }
    const event = eventOf(ticket);
    entry.dispatch(event);
    if (parked === undefined) return answer;
    const isNew = event.tag === "join" && event.memberId === "";
    const memberId = isNew ? event.freshMemberId : parked.memberId;
    this.#waiting.whenAbandoned(ticket, parked.onClosed, () => {
      if (!this.#ended) entry.dispatch({ tag: "abandoned", memberId, ticket });
    });
    return answer;
  }

  /** An answer about a group that does not exist: that it does not has to be on record too. */
  async #later<Answer>(
    groupId: string,
    errorCode: number,
    answerOf: (errorCode: number) => Answer,
  ): Promise<Answer> {
    try {
      await this.durableOf(groupId);
    } catch {
      return answerOf(ErrorCode.NOT_COORDINATOR);
    }
    return answerOf(errorCode);
  }

  #refused(entry: GroupEntry, event: GroupEvent, error: unknown): void {
    const errorCode = this.#failedWrite(event.tag, error);
    if ("ticket" in event && event.tag !== "abandoned")
      this.#waiting.refuse(event.ticket, errorCode);
    this.#drop(entry);
  }

  /** What those are told whose change has no room, or could not be written. */
  #failedWrite(what: string, error: unknown): number {
    const { log } = this.#options.runtime;
    log.warn("group-write-refused", { what, reason: errorMessageOf(error) });
    if (isKarstError(error, "invalid")) return ErrorCode.INVALID_COMMIT_OFFSET_SIZE;
    if (isKarstError(error, "unavailable")) return ErrorCode.COORDINATOR_NOT_AVAILABLE;
    this.#options.onFailed(error);
    return ErrorCode.NOT_COORDINATOR;
  }

  #write(changes: readonly StateChange[]): Promise<void> {
    const { durable } = this.#options.state.write(changes);
    this.#durable = durable;
    durable.then(
      () => {
        if (this.#durable === durable) this.#durable = undefined;
      },
      (error: unknown) => {
        // Nobody knows what is on record now.
        if (!this.#ended) this.#options.onFailed(error);
      },
    );
    return durable;
  }
}

function itself(errorCode: number): number {
  return errorCode;
}

function refuseJoin(
  { memberId }: { readonly memberId: string },
  errorCode: number,
): Promise<JoinAnswer> {
  return Promise.resolve(refusedJoin(memberId, errorCode));
}
