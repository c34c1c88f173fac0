import { type InputOf, MessageCodec, type MessageOf } from "@karst/kafka-protocol";
import { concatBytes, type KarstError } from "@karst/runtime";
import { brokerError } from "../errors.ts";
import { emptyGroup, type Group, type GroupPhase, type Member } from "./group.ts";

/*
 * What the state stream of groups holds; docs/formats/groups.md has the page. A key is its kind, a value its version, each one byte before
 * a message in the flexible notation of Kafka's protocol.
 */

const GROUP_KEY = 1;
const OFFSET_KEY = 2;
const VERSION = 1;

const groupKeyFields = [{ name: "groupId", type: "string" }] as const;

const offsetKeyFields = [
  { name: "groupId", type: "string" },
  { name: "topicId", type: "uuid" },
  { name: "partition", type: "int32" },
] as const;

const groupFields = [
  /** 1 Empty, 2 PreparingRebalance, 3 CompletingRebalance, 4 Stable. */
  { name: "phase", type: "int8" },
  { name: "generation", type: "int32" },
  { name: "protocolType", type: "string" },
  { name: "protocolName", type: "string", nullable: true },
  { name: "leaderId", type: "string", nullable: true },
  { name: "emptySinceMs", type: "int64" },
  {
    name: "members",
    array: [
      { name: "memberId", type: "string" },
      { name: "instanceId", type: "string", nullable: true },
      { name: "clientId", type: "string" },
      { name: "clientHost", type: "string" },
      { name: "sessionTimeoutMs", type: "int32" },
      { name: "rebalanceTimeoutMs", type: "int32" },
      {
        name: "protocols",
        array: [
          { name: "name", type: "string" },
          { name: "metadata", type: "bytes" },
        ],
      },
      { name: "assignment", type: "bytes" },
    ],
  },
] as const;

const offsetFields = [
  { name: "offset", type: "int64Clamped" },
  { name: "leaderEpoch", type: "int32" },
  { name: "metadata", type: "string" },
  { name: "committedMs", type: "int64" },
] as const;

function codec<const F extends ConstructorParameters<typeof MessageCodec>[0]["fields"]>(
  name: string,
  fields: F,
): MessageCodec<MessageOf<F>, InputOf<F>> {
  return new MessageCodec({
    name,
    fields,
    versions: { min: VERSION, max: VERSION },
    flexibleFrom: 0,
  });
}

const groupKey = codec("GroupKey", groupKeyFields);
const offsetKey = codec("OffsetKey", offsetKeyFields);
const groupValue = codec("GroupValue", groupFields);
const offsetValue = codec("OffsetValue", offsetFields);

const PHASES: readonly GroupPhase[] = [
  "Empty",
  "PreparingRebalance",
  "CompletingRebalance",
  "Stable",
];

/** What a group has committed of one partition. */
export interface CommittedOffset {
  readonly offset: number;
  /** -1: not said. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  /** Wall clock, milliseconds since 1970. */
  readonly committedMs: number;
}

export type GroupKey =
  | { readonly tag: "group"; readonly groupId: string }
  | {
      readonly tag: "offset";
      readonly groupId: string;
      readonly topicId: string;
      readonly partition: number;
    };

export function encodeKey(key: GroupKey): Uint8Array {
  return key.tag === "group"
    ? prefixed(GROUP_KEY, groupKey.encode(VERSION, key))
    : prefixed(OFFSET_KEY, offsetKey.encode(VERSION, key));
}

/** @throws KarstError `GROUP_STATE_CORRUPT`, `MALFORMED_MESSAGE` (`corrupt`). */
export function decodeKey(bytes: Uint8Array): GroupKey {
  const body = bytes.subarray(1);
  if (bytes[0] === GROUP_KEY) return { tag: "group", ...groupKey.decode(VERSION, body) };
  if (bytes[0] === OFFSET_KEY) return { tag: "offset", ...offsetKey.decode(VERSION, body) };
  throw corrupt(`a key of kind ${bytes[0]}`);
}

export function encodeOffset(offset: CommittedOffset): Uint8Array {
  return prefixed(VERSION, offsetValue.encode(VERSION, offset));
}

/** @throws As `decodeKey`. */
export function decodeOffset(bytes: Uint8Array): CommittedOffset {
  return offsetValue.decode(VERSION, body(bytes));
}

/** Requests that wait, and ids that have not joined, are not on record. */
export function encodeGroup(group: Group): Uint8Array {
  const members = [...group.members.values()].map((member) => ({
    memberId: member.memberId,
    instanceId: member.instanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    sessionTimeoutMs: member.sessionTimeoutMs,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    protocols: member.protocols,
    assignment: member.assignment,
  }));
  const value = groupValue.encode(VERSION, {
    phase: PHASES.indexOf(group.phase) + 1,
    generation: group.generation,
    protocolType: group.protocolType,
    protocolName: group.protocolName ?? null,
    leaderId: group.leaderId ?? null,
    emptySinceMs: group.emptySinceMs,
    members,
  });
  return prefixed(VERSION, value);
}

/** @param bytes kept: the group has views of them. @throws As `decodeKey`. */
export function decodeGroup(groupId: string, bytes: Uint8Array): Group {
  const value = groupValue.decode(VERSION, body(bytes));
  const phase = PHASES[value.phase - 1];
  if (phase === undefined) throw corrupt(`group ${groupId} in phase ${value.phase}`);
  if ((value.members.length === 0) !== (phase === "Empty"))
    throw corrupt(`group ${groupId} is ${phase} with ${value.members.length} members`);
  // Who has its assignment in a stable group is not on record: whoever has not is found by its session.
  const synced = phase === "Stable";
  const members = new Map<string, Member>();
  for (const member of value.members)
    members.set(member.memberId, { ...member, synced, waiting: undefined });
  return {
    ...emptyGroup(groupId, value.emptySinceMs),
    phase,
    generation: value.generation,
    protocolType: value.protocolType,
    protocolName: value.protocolName ?? undefined,
    leaderId: value.leaderId ?? undefined,
    members,
  };
}

function prefixed(byte: number, bytes: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of(byte), bytes]);
}

function body(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== VERSION) throw corrupt(`a value of version ${bytes[0]}`);
  return bytes.subarray(1);
}

function corrupt(problem: string): KarstError {
  return brokerError("GROUP_STATE_CORRUPT", `the state of groups has ${problem}`);
}
