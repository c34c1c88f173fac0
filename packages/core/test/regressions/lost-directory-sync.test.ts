// A file store that can vouch for one of its directories no more is of no use to its engine, which ends instead of trying for ever.
import assert from "node:assert/strict";
import { type Engine, openEngine } from "@karst/core";
import { fileObjectStore } from "@karst/objectstore";
import { isKarstError, MemoryBudget, SlabPool } from "@karst/runtime";
import { type SimulatedRuntime, simulatedRuntime } from "@karst/runtime/testing";
import { fileWal, simulatedDevice } from "@karst/wal";
import { test } from "vitest";
import { openTopics } from "@karst/core";
import { batchOf, contents } from "../partition/batches.ts";
import { TINY_LIMITS, TINY_WAL_LIMITS } from "../engine/world.ts";

function open(runtime: SimulatedRuntime): Promise<Engine> {
  const memory = new MemoryBudget(TINY_LIMITS.memoryBudgetBytes ?? 0);
  const { files, random, clock } = runtime;
  const slabs = new SlabPool({ budget: memory, slabBytes: TINY_LIMITS.slabBytes ?? 0 });
  const device = () => simulatedDevice({ files: runtime.blocking, directory: "/wal", clock });
  return openEngine({
    runtime,
    memory,
    limits: TINY_LIMITS,
    objectStore: fileObjectStore({ files, random: random.fork("store"), directory: "/store" }),
    wal: fileWal({ runtime, slabs, limits: TINY_WAL_LIMITS, device }),
  });
}

for (const directory of ["objects", "log"]) {
  test(`a failed sync of the store's ${directory} ends the engine; the next one has all that was acknowledged`, async () => {
    const runtime = simulatedRuntime({ seed: 1 });
    const { clock, disk } = runtime;
    const engine = await clock.runUntil(open(runtime));
    const topics = await clock.runUntil(openTopics(engine));
    const { topicId } = await clock.runUntil(topics.create({ name: "t", partitions: 1 }));
    const log = await clock.runUntil(topics.partition(topicId, 0));
    for (let n = 0; n < 5; n += 1) await clock.runUntil(log.append(batchOf([`v${n}`])).durable);

    disk.fault({
      on: "syncDirectory",
      path: (path) => path.startsWith("/store") && path.includes(directory),
      effect: "EIO",
    });
    const upload = engine.upload().then(
      () => undefined,
      (error: unknown) => error,
    );
    const failure = await clock.runUntil(engine.failed);
    assert.ok(isKarstError(failure, "closed"), String(failure));
    assert.ok((await clock.runUntil(upload)) instanceof Error);
    await clock.runUntil(engine.abandon());

    const next = await clock.runUntil(open(runtime.restart()));
    const again = await clock.runUntil(openTopics(next));
    const found = await clock.runUntil(again.partition(topicId, 0));
    assert.equal((await clock.runUntil(contents(found))).length, 5);
    await clock.runUntil(again.close());
    await clock.runUntil(next.close());
  });
}
