import type { Group, Member } from "./group.ts";
import type { CommittedOffset } from "./group-records.ts";

/*
 * What groups take in memory, rounded up from what the heap of Node 20 shows. Text counts with two bytes for each unit.
 */

/** The entry, its name in every map, its timers. */
const GROUP_BYTES = 2_048;
/** With its session and the one request of its that may wait. */
const MEMBER_BYTES = 2_048;
const PROTOCOL_BYTES = 256;
/** An id that has not joined yet, with its session. */
const PENDING_ID_BYTES = 512;
/** The map of a topic's partitions. */
export const OFFSETS_TOPIC_BYTES = 320;
const OFFSET_BYTES = 160;

export function bytesOfGroup(group: Group): number {
  let bytes = GROUP_BYTES + textBytes(group.groupId) + textBytes(group.protocolType);
  for (const member of group.members.values()) bytes += bytesOfMember(member);
  for (const memberId of group.pendingIds) bytes += PENDING_ID_BYTES + textBytes(memberId);
  return bytes;
}

export function bytesOfOffset({ metadata }: CommittedOffset): number {
  return OFFSET_BYTES + textBytes(metadata);
}

function bytesOfMember(member: Member): number {
  const { memberId, instanceId, clientId, clientHost, protocols, assignment } = member;
  let bytes = MEMBER_BYTES + assignment.length;
  for (const text of [memberId, instanceId ?? "", clientId, clientHost]) bytes += textBytes(text);
  for (const { name, metadata } of protocols)
    bytes += PROTOCOL_BYTES + textBytes(name) + metadata.length;
  return bytes;
}

function textBytes(text: string): number {
  return 2 * text.length;
}
