import { type Broker, type BrokerLimits, startBroker } from "@karst/broker";
import { type Engine, type Limits, openEngine, openTopics, type Topics } from "@karst/core";
import { createTopicsApi, fetchApi, produceApi } from "@karst/kafka-protocol";
import { memoryObjectStore, type ObjectStore } from "@karst/objectstore";
import { encodeBatch } from "@karst/records";
import {
  type Logger,
  MemoryBudget,
  type Runtime,
  silentLogger,
  SlabPool,
  utf8Encode,
} from "@karst/runtime";
import { nodeRuntime } from "@karst/runtime/node";
import { memoryWal, type WalFactory } from "@karst/wal";
import { TestClient } from "./client.ts";

export interface Fixture {
  readonly engine: Engine;
  readonly topics: Topics;
  readonly broker: Broker;
  readonly objectStore: ObjectStore;
  readonly connect: () => Promise<TestClient>;
  readonly close: () => Promise<void>;
}

/** A broker on a free port of the loopback, everything else in memory. */
export async function startFixture(
  options: {
    readonly limits?: Partial<BrokerLimits>;
    readonly engineLimits?: Partial<Limits>;
    readonly objectStore?: ObjectStore;
    readonly wal?: (runtime: Runtime, slabs: SlabPool) => WalFactory;
    readonly autoCreateTopics?: boolean;
    readonly log?: Logger;
  } = {},
): Promise<Fixture> {
  const runtime = nodeRuntime({ log: options.log ?? silentLogger });
  const memory = new MemoryBudget(options.engineLimits?.memoryBudgetBytes ?? 64 * 1024 * 1024);
  const slabs = new SlabPool({
    budget: memory,
    slabBytes: options.engineLimits?.slabBytes ?? 256 * 1024,
    poison: true,
  });
  const objectStore = options.objectStore ?? memoryObjectStore();
  const engine = await openEngine({
    objectStore,
    wal: (options.wal ?? ((r, s) => memoryWal({ runtime: r, slabs: s })))(runtime, slabs),
    runtime,
    memory,
    limits: { slabBytes: 256 * 1024, ...options.engineLimits },
  });
  const topics = await openTopics(engine);
  const broker = await startBroker({
    engine,
    topics,
    runtime,
    listen: { host: "127.0.0.1", port: 0 },
    groupInitialRebalanceDelayMs: 0,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...(options.autoCreateTopics === undefined
      ? {}
      : { autoCreateTopics: options.autoCreateTopics }),
  });
  const clients: TestClient[] = [];
  return {
    engine,
    topics,
    broker,
    objectStore,
    connect: async () => {
      const client = await TestClient.connect(broker.port);
      clients.push(client);
      return client;
    },
    close: async () => {
      for (const client of clients) client.destroy();
      await broker.close();
      await topics.close();
      await engine.close();
    },
  };
}

/** Runs a test against a fixture and closes it, whatever happens. */
export async function withFixture(
  options: Parameters<typeof startFixture>[0],
  run: (fixture: Fixture) => Promise<void>,
): Promise<void> {
  const fixture = await startFixture(options);
  try {
    await run(fixture);
  } finally {
    await fixture.close();
  }
}

/** A v2 batch with one record per text. */
export function batchOf(...texts: readonly string[]): Uint8Array {
  return encodeBatch(
    texts.map((text, index) => ({
      timestampMs: 1_700_000_000_000 + index,
      key: null,
      value: utf8Encode(text),
      headers: [],
    })),
  );
}

export async function createTopic(client: TestClient, name: string, partitions = 1): Promise<void> {
  const { topics } = await client.call(createTopicsApi, 4, {
    topics: [
      { name, numPartitions: partitions, replicationFactor: 1, assignments: [], configs: [] },
    ],
    timeoutMs: 1_000,
    validateOnly: false,
  });
  if (topics[0]?.errorCode !== 0) throw new Error(`topic ${name}: error ${topics[0]?.errorCode}`);
}

export const PRODUCE_VERSION = 8;

/** A produce request of one batch, without waiting for its answer. @returns its correlation id. */
export function sendProduce(
  client: TestClient,
  topic: string,
  records: Uint8Array | null,
  index = 0,
): number {
  return client.request(produceApi, PRODUCE_VERSION, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 1_000,
    topicData: [{ name: topic, partitionData: [{ index, records }] }],
  });
}

/** The answer for the one partition of `sendProduce`. */
export async function produced(
  client: TestClient,
  correlationId: number,
): Promise<{ readonly errorCode: number; readonly baseOffset: number }> {
  const response = await client.receive(produceApi, PRODUCE_VERSION, correlationId);
  const partition = response.responses[0]?.partitionResponses[0];
  if (partition === undefined) throw new Error("no partition in the produce response");
  return partition;
}

export const FETCH_VERSION = 11;

/** A fetch request of one partition, without waiting for its answer. @returns its correlation id. */
export function sendFetch(
  client: TestClient,
  topic: string,
  fetchOffset: number,
  options: {
    readonly maxWaitMs?: number;
    readonly minBytes?: number;
    readonly bytesMax?: number;
  } = {},
): number {
  return client.request(fetchApi, FETCH_VERSION, {
    maxWaitMs: options.maxWaitMs ?? 0,
    minBytes: options.minBytes ?? 1,
    maxBytes: options.bytesMax ?? 1_000_000,
    topics: [
      {
        topic,
        partitions: [
          { partition: 0, fetchOffset, partitionMaxBytes: options.bytesMax ?? 1_000_000 },
        ],
      },
    ],
  });
}

export async function fetched(
  client: TestClient,
  correlationId: number,
): Promise<{
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly records: Uint8Array | null;
}> {
  const response = await client.receive(fetchApi, FETCH_VERSION, correlationId);
  const partition = response.responses[0]?.partitions[0];
  if (partition === undefined) throw new Error("no partition in the fetch response");
  return partition;
}
