import {
  heartbeatApi,
  joinGroupApi,
  type JoinGroupRequestInput,
  type JoinGroupResponse,
  syncGroupApi,
  type SyncGroupResponse,
} from "@karst/kafka-protocol";
import { concatBytes, utf8Encode } from "@karst/runtime";
import type { Both, CallOptions, Pair } from "./pair.ts";
import { type Run, since } from "./scenario.ts";

const REBALANCE_IN_PROGRESS = 27;
const MEMBER_ID_REQUIRED = 79;
const REBALANCE_POLLS_MAX = 200;
/** Versions in which what has to be there is prepared. */
const JOIN_VERSION = 7;
const SYNC_VERSION = 5;

export interface JoinWish {
  readonly group: string;
  readonly memberId?: Both<string>;
  readonly instanceId?: string | null;
  readonly protocolType?: string;
  /** Names; their metadata is made of them and of `metadata`. */
  readonly protocols?: readonly string[];
  readonly metadata?: string;
  /** What the member subscribes to; default: nothing. */
  readonly topics?: readonly string[];
  readonly sessionTimeoutMs?: number;
  readonly rebalanceTimeoutMs?: number;
}

/** A member of a group, as each broker knows it. */
export interface Member {
  readonly group: string;
  readonly memberId: Both<string>;
  readonly generation: Both<number>;
}

export function same(text: string): Both<string> {
  return { kafka: text, karst: text };
}

/** One JoinGroup. */
export function join(
  pair: Pair,
  version: number,
  name: string,
  wish: JoinWish,
  options: CallOptions = {},
): Promise<Both<JoinGroupResponse | undefined>> {
  const { protocols = ["range"], metadata = "m" } = wish;
  return pair.call(
    name,
    joinGroupApi,
    version,
    (at): JoinGroupRequestInput => ({
      groupId: wish.group,
      sessionTimeoutMs: wish.sessionTimeoutMs ?? 30_000,
      ...since(version, 1, { rebalanceTimeoutMs: wish.rebalanceTimeoutMs ?? 10_000 }),
      memberId: wish.memberId === undefined ? "" : at.pick(wish.memberId),
      ...since(version, 5, { groupInstanceId: wish.instanceId ?? null }),
      protocolType: wish.protocolType ?? "consumer",
      protocols: protocols.map((each) => ({
        name: each,
        metadata: subscription(wish.topics ?? [], `${metadata} of ${each}`),
      })),
    }),
    options,
  );
}

/**
 * What a consumer says of itself: topics, and user data. Kafka looks into it, and never answers what it cannot read.
 *
 * Source: ConsumerProtocolSubscription.json v0.
 */
function subscription(topics: readonly string[], userData: string): Uint8Array {
  const lengthOf = (bytes: number, value: number): Uint8Array => {
    const length = new Uint8Array(bytes);
    length[bytes - 1] = value;
    return length;
  };
  const named = topics.map(utf8Encode).flatMap((name) => [lengthOf(2, name.length), name]);
  const data = utf8Encode(userData);
  const version = new Uint8Array(2);
  return concatBytes([
    version,
    lengthOf(4, topics.length),
    ...named,
    lengthOf(4, data.length),
    data,
  ]);
}

/** The id that an answer gives. */
export function memberIdOf(answers: Both<JoinGroupResponse | undefined>): Both<string> {
  return { kafka: answers.kafka?.memberId ?? "", karst: answers.karst?.memberId ?? "" };
}

export function memberOf(group: string, answers: Both<JoinGroupResponse | undefined>): Member {
  const { kafka, karst } = answers;
  const generation = { kafka: kafka?.generationId ?? -1, karst: karst?.generationId ?? -1 };
  return { group, memberId: memberIdOf(answers), generation };
}

/** Joins, a second time where an id is needed first; not counted. A member that asks for an id and does not come is waited for. */
export async function joined(pair: Pair, wish: JoinWish): Promise<Member> {
  const first = await join(pair, JOIN_VERSION, "join", wish, { uncounted: true });
  const needsId = [first.kafka, first.karst].every(
    (each) => each?.errorCode === MEMBER_ID_REQUIRED,
  );
  const answers = needsId
    ? await join(
        pair,
        JOIN_VERSION,
        "join",
        { ...wish, memberId: memberIdOf(first) },
        { uncounted: true },
      )
    : first;
  const codes = [answers.kafka?.errorCode, answers.karst?.errorCode];
  if (codes.some((code) => code !== 0))
    throw new Error(`group ${wish.group} cannot be joined: ${codes.join()}`);
  return memberOf(wish.group, answers);
}

/** One SyncGroup with which a member that leads a group alone gives itself `assignment`. */
export function sync(
  pair: Pair,
  version: number,
  name: string,
  member: Member,
  options: CallOptions & {
    readonly instanceId?: string | null;
    readonly assignment?: string | null;
    readonly protocol?: { readonly type: string | null; readonly name: string | null };
  } = {},
): Promise<Both<SyncGroupResponse | undefined>> {
  const { assignment = "mine", protocol = { type: "consumer", name: "range" } } = options;
  return pair.call(
    name,
    syncGroupApi,
    version,
    (at) => ({
      groupId: member.group,
      generationId: at.pick(member.generation),
      memberId: at.pick(member.memberId),
      ...since(version, 3, { groupInstanceId: options.instanceId ?? null }),
      ...since(version, 5, { protocolType: protocol.type, protocolName: protocol.name }),
      assignments:
        assignment === null
          ? []
          : [{ memberId: at.pick(member.memberId), assignment: utf8Encode(assignment) }],
    }),
    options,
  );
}

/** Until both have told a member of a group that the others are coming. */
export async function untilRebalancing(
  run: Run,
  { group, memberId, generation }: Member,
): Promise<void> {
  for (let poll = 0; poll < REBALANCE_POLLS_MAX; poll += 1) {
    const { kafka, karst } = await run.pair.call(
      "wait for a rebalance",
      heartbeatApi,
      2,
      (at) => ({
        groupId: group,
        memberId: at.pick(memberId),
        generationId: at.pick(generation),
      }),
      { uncounted: true },
    );
    if ([kafka, karst].every((answer) => answer?.errorCode === REBALANCE_IN_PROGRESS)) return;
    await run.pause();
  }
  throw new Error(`group ${group} does not rebalance`);
}

/** A group of one member, stable; not counted. */
export async function stableGroup(run: Run, wish: Partial<JoinWish> = {}): Promise<Member> {
  const group = wish.group ?? run.name("group");
  const member = await joined(run.pair, { ...wish, group });
  const options = { uncounted: true, instanceId: wish.instanceId ?? null };
  const { kafka, karst } = await sync(run.pair, SYNC_VERSION, "sync", member, options);
  if (kafka?.errorCode !== 0 || karst?.errorCode !== 0)
    throw new Error(`group ${group} is not stable: ${kafka?.errorCode}, ${karst?.errorCode}`);
  return member;
}
