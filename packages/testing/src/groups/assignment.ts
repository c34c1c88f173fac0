import type { PartitionModel, TopicModel } from "../kafka/topic-model.ts";
import { concatBytes, utf8Decode, utf8Encode } from "@karst/runtime";

/** What a leader gives one member. No two of them are the same: `draft` is new with every attempt at assigning. */
export interface Assignment {
  readonly draft: number;
  readonly generation: number;
  readonly memberId: string;
  readonly instanceId: string | null;
  /** Keys of all topics that were there to be assigned. */
  readonly topicIds: readonly string[];
  /** As `partitionKey` has them. */
  readonly partitions: readonly string[];
}

/** The plan of a leader. */
export interface Plan {
  readonly generation: number;
  readonly draft: number;
  readonly topics: readonly TopicModel[];
}

export function partitionKey({ topic, index }: PartitionModel): string {
  return `${topic.topicId}/${index}`;
}

export function encodeAssignment(assignment: Assignment): Uint8Array {
  return utf8Encode(JSON.stringify(assignment));
}

export function decodeAssignment(bytes: Uint8Array): Assignment {
  return JSON.parse(utf8Decode(bytes)) as Assignment;
}

/** Gives every partition to one member, in turn. */
export function assign(
  members: readonly { readonly memberId: string; readonly instanceId: string | null }[],
  { generation, draft, topics }: Plan,
): Assignment[] {
  const partitions = topics.flatMap((topic) => topic.partitions.map(partitionKey));
  const topicIds = topics.map(({ topicId }) => topicId ?? "");
  return members.map(({ memberId, instanceId }, at) => ({
    draft,
    generation,
    memberId,
    instanceId,
    topicIds,
    partitions: partitions.filter((_, index) => index % members.length === at),
  }));
}

/**
 * A consumer's metadata.
 *
 * @param topics what it subscribes to.
 * @param revision another one is another subscription.
 * Source: ConsumerProtocolSubscription.json v0: version int16, topics array of string, user data bytes.
 */
export function encodeSubscription(topics: readonly string[], revision: number): Uint8Array {
  const head = new DataView(new ArrayBuffer(6));
  head.setInt32(2, topics.length);
  const names = topics.flatMap((topic) => {
    const name = utf8Encode(topic);
    return [Uint8Array.of(name.length >> 8, name.length & 0xff), name];
  });
  const userData = new DataView(new ArrayBuffer(8));
  userData.setInt32(0, 4);
  userData.setInt32(4, revision);
  return concatBytes([new Uint8Array(head.buffer), ...names, new Uint8Array(userData.buffer)]);
}
