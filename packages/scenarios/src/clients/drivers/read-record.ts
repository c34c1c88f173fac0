import { base64Of, type ReadRecord } from "../events.ts";

type Bytes = Uint8Array | string | null | undefined;

/** What a client says of a record, in its own types. */
export interface ReceivedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number | bigint | string;
  readonly timestamp: number | bigint | string;
  readonly key: Bytes;
  readonly value: Bytes;
}

export function readRecord(
  received: ReceivedRecord,
  headers: Iterable<readonly [name: string, value: Bytes]>,
): ReadRecord {
  const { topic, partition } = received;
  return {
    topic,
    partition,
    offset: Number(received.offset),
    timestamp: Number(received.timestamp),
    key: base64Of(received.key),
    value: base64Of(received.value),
    headers: Array.from(headers, ([name, value]) => [name, base64Of(value)] as const),
  };
}
