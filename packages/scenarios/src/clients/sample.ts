import type { Client } from "./client.ts";
import { base64Of, type DriverRecord } from "./events.ts";

type Header = readonly [string, string | null];

/** Long enough that every codec makes less of it. */
const LONG = "The river goes underground and comes out again, the same water. ".repeat(60);

/** What the records of a partition are like: `partition % SHAPES.length`. */
const SHAPES: readonly ((
  index: number,
  client: Client,
) => Omit<DriverRecord, "partition" | "timestamp">)[] = [
  (index, client) => ({
    key: text(`key ${index}`),
    value: text(`value ${index}`),
    headers: [
      header("source", client.name),
      header("empty", ""),
      ...(client.lacks?.repeatedHeaders === true
        ? []
        : [header("repeated", "one"), header("repeated", "two")]),
    ],
  }),
  (index) => ({ key: null, value: text(`${index} ${LONG}`), headers: [] }),
  // A tombstone.
  (index) => ({ key: text(`gone ${index}`), value: null, headers: [header("why", "déjà vu ✓")] }),
  (index, client) => ({
    key: client.lacks?.bytes === true ? text(`Schlüssel ${index}`) : bytes(index),
    value: client.lacks?.bytes === true ? text(`値 ${index}`) : bytes(index + 100),
    headers: [],
  }),
];

export interface SampleOptions {
  readonly client: Client;
  readonly partitions: readonly number[];
  readonly perPartition: number;
  /** Milliseconds since 1970 of the first record; each is one later. */
  readonly timestamp: number;
  readonly from: number;
}

/** Records of every shape that the client can send. */
export function sample(options: SampleOptions): DriverRecord[] {
  const { client, partitions, perPartition, timestamp, from } = options;
  return partitions.flatMap((partition) =>
    Array.from({ length: perPartition }, (_, at): DriverRecord => {
      const shape = SHAPES[partition % SHAPES.length] as (typeof SHAPES)[number];
      const index = from + at;
      return { partition, timestamp: timestamp + index, ...shape(index, client) };
    }),
  );
}

/** Records of one partition that every codec makes smaller, and that every client can send and read. */
export function compressible(options: {
  readonly client: Client;
  readonly partition: number;
  readonly count: number;
  readonly timestamp: number;
}): DriverRecord[] {
  return Array.from({ length: options.count }, (_, index) => ({
    partition: options.partition,
    timestamp: options.timestamp + index,
    key: text(`key ${index}`),
    value: text(`${index} ${LONG}`),
    headers: [header("source", options.client.name)],
  }));
}

function text(value: string): string {
  return base64Of(value) as string;
}

function header(name: string, value: string): Header {
  return [name, text(value)];
}

/** Every value that a byte can have, beginning elsewhere each time. */
function bytes(from: number): string {
  return base64Of(Uint8Array.from({ length: 256 }, (_, at) => (from + at) % 256)) as string;
}
