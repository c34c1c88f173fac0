import { fileObjectStore, type ObjectStore } from "@karst/objectstore";
import { DiskTurns, MemoryBudget, SlabPool } from "@karst/runtime";
import { nodeRuntime } from "@karst/runtime/node";
import { fileWal } from "@karst/wal";
import { type Engine, open } from "karst";
import { type KafkaListener, listen } from "karst/kafka";
import { MetricsPage } from "./metrics-page.ts";

const MiB = 1024 * 1024;

export interface OwnBroker {
  readonly engine: Engine;
  readonly kafka: KafkaListener;
  readonly metrics: MetricsPage;
  close(): Promise<void>;
}

/**
 * A Kafka broker put together from its parts, each of which can be exchanged for another.
 *
 * @param places.wal A directory of this machine's disk.
 * @param places.objects Any store that passes `objectStoreConformance`; a directory here.
 */
export async function ownBroker(
  places: { readonly wal: string; readonly objects: string },
  port: number,
): Promise<OwnBroker> {
  const metrics = new MetricsPage();
  const runtime = nodeRuntime({ metrics });
  const turns = new DiskTurns(); // appends wait for the WAL: its writes go first
  const objectStore: ObjectStore = fileObjectStore({
    files: runtime.files,
    random: runtime.random,
    directory: places.objects,
    pace: () => turns.turn(),
  });
  const memoryBudgetBytes = 128 * MiB;
  const memory = new MemoryBudget(memoryBudgetBytes);
  const slabs = new SlabPool({ budget: memory });
  const wal = fileWal({ runtime, slabs, turns, directory: places.wal });

  const engine = await open({ objectStore, wal, memory, runtime, limits: { memoryBudgetBytes } });
  const close = async (): Promise<void> => {
    await engine.close(); // the listener first
    await objectStore.close(); // ours, because we made it
  };
  try {
    const kafka = await listen(engine, { port, limits: { connectionsMax: 100 } });
    return { engine, kafka, metrics, close };
  } catch (error) {
    await close();
    throw error;
  }
}
