import assert from "node:assert/strict";
import { type Engine, openEngine, openTopics, type PartitionLog } from "@karst/core";
import {
  fileObjectStore,
  memoryObjectStore,
  meteredObjectStore,
  type ObjectStore,
} from "@karst/objectstore";
import { DEFAULT_LIMITS } from "@karst/core";
import { MemoryBudget, SlabPool } from "@karst/runtime";
import { type SimulatedRuntime, simulatedRuntime } from "@karst/runtime/testing";
import { fileWal, simulatedDevice } from "@karst/wal";
import { test } from "vitest";
import { batchOf, contents } from "../partition/batches.ts";

const IDLE_MS = 5 * 60_000;
const PARTITIONS = 8;

/** Every request of any kind so far. */
function requests(runtime: SimulatedRuntime): number {
  return Object.entries(runtime.metrics.values())
    .filter(([name]) => /^karst_objectstore_.*_requests$/.test(name))
    .reduce((sum, [, count]) => sum + count, 0);
}

async function open(runtime: SimulatedRuntime, store: ObjectStore): Promise<Engine> {
  const memory = new MemoryBudget(DEFAULT_LIMITS.memoryBudgetBytes);
  const slabs = new SlabPool({ budget: memory, slabBytes: DEFAULT_LIMITS.slabBytes });
  const wal = fileWal({
    runtime,
    slabs,
    limits: { segmentBytes: 64 * 1024, firstSegmentBytes: 64 * 1024 },
    device: () =>
      simulatedDevice({ files: runtime.blocking, directory: "/wal", clock: runtime.clock }),
  });
  return openEngine({
    objectStore: meteredObjectStore(store, runtime.metrics),
    wal,
    runtime,
    memory,
  });
}

/** Reads on as batches come, and says how many records it has seen. */
function consume(log: PartitionLog): () => number {
  let seen = 0;
  let position = log.logStartOffset;
  const advance = async (): Promise<void> => {
    while (position < log.highWatermark) {
      const read = await log.read({ from: position, bytesMax: 1000, isolation: "read_committed" });
      seen += read.nextOffset - position;
      position = read.nextOffset;
      read.release();
    }
  };
  let running = advance();
  log.onAdvance(() => {
    running = running.then(advance);
  });
  return () => seen;
}

for (const kind of ["memory", "file"] as const) {
  test(`an idle engine makes no request of its ${kind} object store in five minutes`, async () => {
    const runtime = simulatedRuntime({ seed: 1 });
    const { clock, disk } = runtime;
    const store =
      kind === "memory"
        ? memoryObjectStore()
        : fileObjectStore({
            files: runtime.files,
            random: runtime.random.fork("store"),
            directory: "/store",
          });
    const engine = await clock.runUntil(open(runtime, store));
    const topics = await clock.runUntil(openTopics(engine));
    const { topicId } = await clock.runUntil(topics.create({ name: "t", partitions: PARTITIONS }));
    const logs: PartitionLog[] = [];
    for (let i = 0; i < PARTITIONS; i += 1)
      logs.push(await clock.runUntil(topics.partition(topicId, i)));
    const [log] = logs;
    assert.ok(log !== undefined);
    const seen = consume(log);
    for (let i = 0; i < 20; i += 1) await clock.runUntil(log.append(batchOf([`v${i}`])).durable);

    // The watermark, and the upload that age asks for.
    await clock.advance(DEFAULT_LIMITS.uploadAgeMs + 1_000);
    assert.equal(seen(), 20);
    assert.equal(runtime.metrics.value("karst_uploads_total"), 1);
    const before = {
      requests: requests(runtime),
      writes: disk.operations("write"),
      syncs: disk.operations("datasync"),
    };
    assert.ok(before.requests > 0);
    await clock.advance(IDLE_MS);
    assert.equal(requests(runtime), before.requests, "requests of an idle engine");
    assert.deepEqual(
      [disk.operations("write"), disk.operations("datasync")],
      [before.writes, before.syncs],
    );
    // Nor is anything due later: there is no timer left at all.
    assert.equal(clock.pendingTimers, 0);

    // It only slept.
    await clock.runUntil(log.append(batchOf(["late"])).durable);
    assert.equal(seen(), 21);
    assert.equal(requests(runtime), before.requests, "an append makes no request");
    assert.equal((await clock.runUntil(contents(log))).length, 21);
    await clock.runUntil(topics.close());
    await clock.runUntil(engine.close());
  });
}
