import { join } from "node:path";
import { type EngineOptions, openEngine, openTopics, type PartitionLog } from "@karst/core";
import { fileObjectStore } from "@karst/objectstore";
import { decodeBatch, encodeBatch } from "@karst/records";
import { MemoryBudget, type Logger, type Runtime, SlabPool } from "@karst/runtime";
import { nodeRuntime } from "@karst/runtime/node";
import { DEFAULT_WAL_LIMITS, fileWal } from "@karst/wal";
import { open } from "karst";
import { type Bounds, PARTITIONS, REAL_LIMITS, type Start } from "./protocol.ts";

const TOPIC = "t";
const READ_BYTES = 64 * 1024;

export interface Producer {
  readonly id: number;
  readonly sequence: number;
}

/** What a victim appends to: two partitions. */
export interface Target {
  readonly failed: Promise<Error>;
  bounds(): Promise<readonly Bounds[]>;
  read(
    partition: number,
    bounds: Bounds,
  ): AsyncIterable<{ readonly offset: number; readonly value: Uint8Array | null }>;
  /** @returns the offset of the first, once all are durable. */
  append(partition: number, values: readonly Uint8Array[], producer?: Producer): Promise<number>;
  trim(partition: number, before: number): Promise<void>;
  nextProducerId(): Promise<number>;
  close(): Promise<void>;
}

export function openTarget(start: Start, log: Logger): Promise<Target> {
  const runtime = nodeRuntime({ log });
  return start.level === "topic" ? openTopicTarget(start, runtime) : openLogTarget(start, runtime);
}

/** Limits of the WAL, or all others. */
function limitsOf(ofWal: boolean): Record<string, number> {
  return Object.fromEntries(
    Object.entries(REAL_LIMITS).filter(
      ([name]) => Object.hasOwn(DEFAULT_WAL_LIMITS, name) === ofWal,
    ),
  );
}

function componentsOf(start: Start, runtime: Runtime): EngineOptions {
  const memory = new MemoryBudget(REAL_LIMITS["memoryBudgetBytes"] as number);
  const slabs = new SlabPool({ budget: memory, slabBytes: REAL_LIMITS["slabBytes"] as number });
  const { files, random } = runtime;
  return {
    objectStore: fileObjectStore({ files, random, directory: start.directory }),
    wal: fileWal({
      directory: join(start.directory, "wal"),
      deviceKind: start.device,
      limits: limitsOf(true),
      runtime,
      slabs,
    }),
    memory,
    limits: limitsOf(false),
    runtime,
  };
}

async function openTopicTarget(start: Start, runtime: Runtime): Promise<Target> {
  const engine = await open(
    start.device === "worker"
      ? { root: `file:${start.directory}`, limits: REAL_LIMITS, runtime }
      : componentsOf(start, runtime),
  );
  if (!engine.listTopics().includes(TOPIC))
    await engine.createTopic(TOPIC, { partitions: PARTITIONS });
  const topic = engine.topic(TOPIC, { autoCreate: false });
  return {
    failed: engine.failed,
    bounds: async () =>
      (await topic.describe()).partitions.map(({ logStartOffset, highWatermark }) => ({
        start: logStartOffset,
        end: highWatermark,
      })),
    async *read(partition, bounds) {
      for await (const { offset, value } of topic.read({
        from: { partition, offset: bounds.start },
      }))
        if (offset < bounds.end) yield { offset, value };
    },
    append: async (partition, values) =>
      (
        await topic.append(
          values.map((value) => ({ value })),
          { partition },
        )
      ).offset,
    trim: (partition, before) => topic.trim({ partition, before }),
    nextProducerId: () => Promise.reject(new TypeError("topics have no producers")),
    close: () => engine.close(),
  };
}

async function openLogTarget(start: Start, runtime: Runtime): Promise<Target> {
  const engine = await openEngine(componentsOf(start, runtime));
  const topics = await openTopics(engine);
  const { topicId } =
    topics.byName(TOPIC) ?? (await topics.create({ name: TOPIC, partitions: PARTITIONS }));
  const logs: PartitionLog[] = [];
  for (let i = 0; i < PARTITIONS; i += 1) logs.push(await topics.partition(topicId, i));
  const logOf = (partition: number): PartitionLog => logs[partition] as PartitionLog;
  return {
    failed: engine.failed,
    bounds: () =>
      Promise.resolve(
        logs.map(({ logStartOffset, highWatermark }) => ({
          start: logStartOffset,
          end: highWatermark,
        })),
      ),
    async *read(partition, bounds) {
      for (let from = bounds.start; from < bounds.end;) {
        const isolation = "read_committed";
        const read = await logOf(partition).read({ from, bytesMax: READ_BYTES, isolation });
        try {
          for (const { payload } of read.batches)
            for (const { offset, value } of decodeBatch(payload))
              if (offset >= from && offset < bounds.end) yield { offset, value };
        } finally {
          read.release();
        }
        from = read.nextOffset;
      }
    },
    append: async (partition, values, producer) => {
      const { clock } = runtime;
      const batch = encodeBatch(
        values.map((value) => ({ timestampMs: clock.wallMs(), value })),
        producer === undefined
          ? {}
          : { producer: { id: producer.id, epoch: 0, baseSequence: producer.sequence } },
      );
      const { baseOffset, durable } = logOf(partition).append(batch);
      await durable;
      return baseOffset;
    },
    trim: (partition, before) => logOf(partition).trim(before),
    nextProducerId: () => topics.nextProducerId(),
    close: async () => {
      await topics.close();
      await engine.close();
    },
  };
}
