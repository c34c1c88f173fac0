import { concatBytes, utf8Decode, utf8Encode } from "@karst/runtime";

/** What a leader gives one member. No two of them are the same: `draft` is new with every attempt at assigning. */
export interface Assignment {
  readonly draft: number;
  readonly generation: number;
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly partitions: readonly number[];
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
  partitions: number,
  generation: number,
  draft: number,
): Assignment[] {
  return members.map(({ memberId, instanceId }, at) => ({
    draft,
    generation,
    memberId,
    instanceId,
    partitions: Array.from({ length: partitions }, (_, index) => index).filter(
      (index) => index % members.length === at,
    ),
  }));
}

/**
 * A consumer's metadata.
 *
 * @param revision another one is another subscription.
 * Source: ConsumerProtocolSubscription.json v0: version int16, topics array of string, user data bytes.
 */
export function encodeSubscription(topic: string, revision: number): Uint8Array {
  const name = utf8Encode(topic);
  const head = new DataView(new ArrayBuffer(8));
  head.setInt32(2, 1);
  head.setInt16(6, name.length);
  const userData = new DataView(new ArrayBuffer(8));
  userData.setInt32(0, 4);
  userData.setInt32(4, revision);
  return concatBytes([new Uint8Array(head.buffer), name, new Uint8Array(userData.buffer)]);
}
