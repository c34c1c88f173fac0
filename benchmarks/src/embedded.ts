import { type Limits, openEngine, openTopics, type PartitionLog } from "@karst/core";
import { fileObjectStore, type ObjectStore } from "@karst/objectstore";
import { MemoryBudget, MEMORY_BUDGET_BYTES, type Runtime, SlabPool } from "@karst/runtime";
import { nodeRuntime } from "@karst/runtime/node";
import { type DeviceKind, fileWal, type WalFactory } from "@karst/wal";
import { type Engine, open } from "karst";

const MiB = 1024 * 1024;

/**
 * `default`: the default limits; uploads go on while records are appended. `apart`: uploads wait until appends have paused, and the
 * memory that records go to has been used before.
 */
export type Uploads = "default" | "apart";

/** What an engine is opened over: files in a folder, and the WAL's I/O where `device` says. */
export interface Ground {
  readonly objectStore: ObjectStore;
  readonly wal: WalFactory;
  readonly memory: MemoryBudget;
  readonly runtime: Runtime;
  readonly limits: Partial<Limits>;
}

export interface GroundOptions {
  readonly folder: string;
  readonly device: DeviceKind;
  readonly uploads: Uploads;
}

/** Time after the last append until uploads that are `apart` begin. */
export const UPLOADS_APART_MS = 1_000;

const APART: Partial<Limits> = {
  memoryBudgetBytes: 512 * MiB,
  uploadBytes: 64 * MiB,
  unuploadedBytesMax: 170 * MiB,
  uploadAgeMs: UPLOADS_APART_MS,
};

export function groundOf({ folder, device, uploads }: GroundOptions): Ground {
  const runtime = nodeRuntime();
  const limits: Partial<Limits> = uploads === "apart" ? APART : {};
  const memory = new MemoryBudget(limits.memoryBudgetBytes ?? MEMORY_BUDGET_BYTES);
  const slabs = uploads === "apart" ? usedSlabs(memory) : new SlabPool({ budget: memory });
  return {
    objectStore: fileObjectStore({
      directory: `${folder}/objects`,
      files: runtime.files,
      random: runtime.random,
    }),
    wal: fileWal({ runtime, slabs, directory: `${folder}/wal`, deviceKind: device }),
    memory,
    runtime,
    limits,
  };
}

/** A pool whose memory has all been written to once, as it has after minutes of work: the first touch of a page is dear. */
function usedSlabs(memory: MemoryBudget): SlabPool {
  const count = Math.floor((memory.limitBytes * 0.9) / (4 * MiB));
  const slabs = new SlabPool({ budget: memory, slabBytes: 4 * MiB, idleMax: count });
  const used = Array.from({ length: count }, () => slabs.acquire(4 * MiB));
  for (const slab of used) {
    slab.bytes.fill(1);
    slab.release();
  }
  return slabs;
}

/** The public API. */
export interface Embedded {
  readonly engine: Engine;
  close(): Promise<void>;
}

export async function openEmbedded(options: GroundOptions): Promise<Embedded> {
  const ground = groundOf(options);
  const engine = await open(ground);
  return {
    engine,
    close: async () => {
      await engine.close();
      await ground.objectStore.close();
    },
  };
}

/** The layer below: one open partition, which takes whole batches. */
export interface Partition {
  readonly log: PartitionLog;
  close(): Promise<void>;
}

export async function openPartition(options: GroundOptions): Promise<Partition> {
  const ground = groundOf(options);
  const engine = await openEngine(ground);
  const topics = await openTopics(engine);
  const topic = await topics.create({ name: "bench", partitions: 1 });
  return {
    log: await topics.partition(topic.topicId, 0),
    close: async () => {
      await topics.close();
      await engine.close();
      await ground.objectStore.close();
    },
  };
}
