import { type Broker, type BrokerLimits, startBroker } from "@karst/broker";
import { type Engine, type Limits, openEngine, openTopics, type Topics } from "@karst/core";
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
