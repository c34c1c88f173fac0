import { bytesOf, type DriverRecord, type ReadRecord } from "../events.ts";
import { readRecord } from "./read-record.ts";

/** Records as kafkajs has them, and clients that are written after it. Values of one name are a list. */
export type Headers = Readonly<
  Record<string, Buffer | string | readonly (Buffer | string)[] | null | undefined>
>;

export interface ReceivedMessage {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Headers;
}

export interface SentMessage {
  readonly partition: number;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Record<string, Buffer | Buffer[]>;
}

export function sentMessageOf(record: DriverRecord): SentMessage {
  const lists = new Map<string, Buffer[]>();
  for (const [name, value] of record.headers)
    lists.set(name, [...(lists.get(name) ?? []), bytesOf(value ?? "")]);
  return {
    partition: record.partition,
    timestamp: String(record.timestamp),
    key: bytesOf(record.key),
    value: bytesOf(record.value),
    headers: Object.fromEntries(
      [...lists].map(([name, values]) => [name, values.length === 1 ? (values[0] ?? []) : values]),
    ),
  };
}

export function recordOf(topic: string, partition: number, message: ReceivedMessage): ReadRecord {
  const headers = Object.entries(message.headers ?? {}).flatMap(([name, values]) =>
    [values].flat().map((value) => [name, value] as const),
  );
  return readRecord({ topic, partition, ...message }, headers);
}
