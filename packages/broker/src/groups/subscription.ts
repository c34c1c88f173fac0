import { utf8Decode, viewOf } from "@karst/runtime";
import { type Group, type Member, metadataOf } from "./group.ts";

/** Whether members of a consumer group read a topic. Where a member's metadata says nothing that can be read, it may. */
export function subscribesTo(group: Group, topic: string): boolean {
  if (group.protocolType !== "consumer") return false;
  for (const member of group.members.values()) {
    const topics = topicsOf(member, group);
    if (topics === undefined || topics.includes(topic)) return true;
  }
  return false;
}

/**
 * The topics of a consumer's metadata; undefined: it is none.
 *
 * Source: ConsumerProtocolSubscription.json v0–v3: version int16, topics array of string, …
 */
function topicsOf(member: Member, group: Group): readonly string[] | undefined {
  const name = group.protocolName ?? member.protocols[0]?.name;
  const metadata = metadataOf(member, name);
  const view = viewOf(metadata);
  const topics: string[] = [];
  try {
    let at = 6;
    for (let left = view.getInt32(2); left > 0; left -= 1) {
      const length = view.getInt16(at);
      if (length < 0 || at + 2 + length > metadata.length) return undefined;
      topics.push(utf8Decode(metadata.subarray(at + 2, at + 2 + length)));
      at += 2 + length;
    }
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  return topics;
}
