import assert from "node:assert/strict";
import { type Engine, openEngine, type Stream } from "@karst/core";
import { fileObjectStore } from "@karst/objectstore";
import {
  isKarstError,
  MemoryBudget,
  randomId,
  randomInteger,
  runtimeError,
  SlabPool,
} from "@karst/runtime";
import { type SimulatedRuntime, simulatedRuntime } from "@karst/runtime/testing";
import { fileWal, simulatedDevice } from "@karst/wal";
import { test } from "vitest";
import { counterRow } from "../../src/catalogue/rows/counter-row.ts";
import { streamOwnerRow } from "../../src/catalogue/rows/stream-owner-row.ts";
import { put, readAll, TINY_LIMITS, TINY_WAL_LIMITS } from "./world.ts";

const lives = Number(process.env["KARST_RUNS"] ?? 25);

/** Object store and WAL on the same simulated disk, in the life that it has now. */
function open(runtime: SimulatedRuntime): Promise<Engine> {
  const memory = new MemoryBudget(TINY_LIMITS.memoryBudgetBytes ?? 0);
  const { files, random, clock } = runtime;
  return openEngine({
    runtime,
    memory,
    limits: TINY_LIMITS,
    objectStore: fileObjectStore({ files, random: random.fork("store"), directory: "/store" }),
    wal: fileWal({
      runtime,
      slabs: new SlabPool({ budget: memory, slabBytes: TINY_LIMITS.slabBytes ?? 0, poison: true }),
      limits: TINY_WAL_LIMITS,
      device: () => simulatedDevice({ files: runtime.blocking, directory: "/wal", clock }),
    }),
  });
}

async function createStream(engine: Engine): Promise<number> {
  const { catalogue, runtime } = engine;
  const counter = counterRow.get(catalogue, "streams");
  const streamId = counter?.value.next ?? 1;
  await catalogue.commit({
    id: randomId(runtime.random),
    require: [counterRow.unchanged("streams", counter)],
    put: [
      counterRow.put("streams", { next: streamId + 1 }),
      streamOwnerRow.put(streamId, { nodeId: undefined, streamEpoch: 0 }),
    ],
    delete: [],
  });
  return streamId;
}

test("with everything on one disk, the power may go at any operation", async () => {
  const world = simulatedRuntime({
    seed: Number(process.env["KARST_SEED"] ?? 7),
    autoDefer: true,
  });
  const draws = world.random.fork("test");
  const { disk } = world;
  let runtime = world;
  let engine = await open(runtime);
  const streamId = await createStream(engine);
  let stream: Stream = await engine.openStream(streamId);
  const acknowledged: number[] = [];
  for (let life = 0; life < lives; life += 1) {
    // The disk goes after so many more operations, whatever they belong to: append, upload, commit, trim.
    let left = randomInteger(draws, 1, 400);
    disk.onOperation = ({ phase }) => {
      if (phase !== "before") return;
      left -= 1;
      if (left < 0) throw runtimeError("IO_ERROR", "the power is gone");
    };
    try {
      for (;;) {
        const { baseOffset, durable } = put(stream, { bytes: randomInteger(draws, 20, 2_000) });
        await durable;
        acknowledged.push(baseOffset);
        // It may wait for the store for ever; what ends a life is the WAL.
        if (randomInteger(draws, 0, 20) === 0) engine.upload().catch(() => undefined);
      }
    } catch (error) {
      assert.ok(isKarstError(error, "indeterminate", "closed", "unavailable"), String(error));
    }
    disk.crash();
    disk.onOperation = undefined;
    await engine.abandon();
    world.clock.clear();
    runtime = runtime.restart();
    engine = await open(runtime);
    stream = await engine.openStream(streamId);
    await checkAll(stream, acknowledged);
    if (stream.highWatermark > 60) await stream.trim(stream.highWatermark - 60);
  }
  await engine.close();
  runtime = runtime.restart();
  engine = await open(runtime);
  stream = await engine.openStream(streamId);
  await checkAll(stream, acknowledged);
  assert.ok(acknowledged.length > lives);
  for (const name of [
    "karst_uploads_total",
    "karst_wal_trims_total",
    "karst_recovered_frames_total",
  ]) {
    assert.ok(world.metrics.value(name) >= 5, `${name} is ${world.metrics.value(name)}`);
  }
  await engine.close();
});

async function checkAll(stream: Stream, acknowledged: readonly number[]): Promise<void> {
  const found = new Set(await readAll(stream));
  for (const offset of acknowledged) {
    if (offset >= stream.logStartOffset) assert.ok(found.has(offset), `lost offset ${offset}`);
  }
}
