import assert from "node:assert/strict";
import { type Engine, openEngine, openTopics, type Topics } from "@karst/core";
import type { ObjectStore } from "@karst/objectstore";
import { MemoryBudget, randomInteger, SlabPool } from "@karst/runtime";
import type { SimulatedRuntime } from "@karst/runtime/testing";
import { fileWal, simulatedDevice } from "@karst/wal";
import { DIRECTORY, LIMITS, MEMORY_BYTES, WAL_LIMITS } from "./limits.ts";
import type { Attempt } from "./log-model.ts";
import { type Life, MortalClock } from "./mortal.ts";
import { DigestState, openPartition, openStream, type OpenLog } from "./open-log.ts";

/** What a process is given. */
export interface Surroundings {
  readonly number: number;
  readonly life: Life;
  readonly runtime: SimulatedRuntime;
  readonly store: ObjectStore;
  /** Greatest time of one step of the WAL's device; 0: no time. */
  readonly stepMsMax: number;
}

/** The logs of every run, in the order of `Process.logs`: a raw stream, and the partitions of a topic. */
export interface LogIds {
  readonly streamId: number;
  readonly topic: string;
  readonly partitions: number;
}

/** One process with an engine, from the opening of its logs on. */
export class Process {
  readonly number: number;
  readonly life: Life;
  readonly engine: Engine;
  readonly topics: Topics;
  readonly logs: readonly OpenLog[];
  /** Of the raw stream. */
  readonly digest: DigestState;
  readonly memory: MemoryBudget;
  /** In the order of the calls. */
  readonly attempts: Attempt[] = [];
  /** Appends taken and not settled. */
  pending = 0;
  /** Resolves when the last append is settled. */
  settled: Promise<void> = Promise.resolve();
  /** Why the engine failed. */
  failure: Error | undefined;
  /** A later process has its logs. */
  isFenced = false;

  constructor(parts: {
    readonly surroundings: Surroundings;
    readonly engine: Engine;
    readonly topics: Topics;
    readonly logs: readonly OpenLog[];
    readonly digest: DigestState;
    readonly memory: MemoryBudget;
  }) {
    this.number = parts.surroundings.number;
    this.life = parts.surroundings.life;
    this.engine = parts.engine;
    this.topics = parts.topics;
    this.logs = parts.logs;
    this.digest = parts.digest;
    this.memory = parts.memory;
    this.engine.failed.then(
      (error) => {
        this.failure = error;
      },
      () => assert.fail("Engine.failed never rejects"),
    );
  }

  log(index: number): OpenLog {
    return this.logs[index] as OpenLog;
  }
}

/** Opens an engine, and every log where `ids` are known. What it rejects with leaves nothing open. */
export async function openProcess(
  surroundings: Surroundings,
  ids: LogIds | undefined,
): Promise<Process> {
  const { life, runtime: world, store, stepMsMax, number } = surroundings;
  const runtime = { ...world, clock: new MortalClock(world.clock, life) };
  const memory = new MemoryBudget(MEMORY_BYTES);
  const slabs = new SlabPool({ budget: memory, slabBytes: LIMITS.slabBytes ?? 1, poison: true });
  const steps = world.random.fork("steps");
  const wal = fileWal({
    runtime,
    slabs,
    limits: WAL_LIMITS,
    device: () =>
      simulatedDevice({
        files: world.blocking,
        directory: DIRECTORY,
        clock: runtime.clock,
        ...(stepMsMax > 0 && { stepMs: () => randomInteger(steps, 0, stepMsMax * 1000) / 1000 }),
      }),
  });
  const engine = await openEngine({ objectStore: store, wal, runtime, memory, limits: LIMITS });
  try {
    const topics = await openTopics(engine);
    const digest = new DigestState();
    const logs: OpenLog[] = [];
    if (ids !== undefined) {
      logs.push(openStream(await engine.openStream(ids.streamId, digest), digest));
      const topic = topics.byName(ids.topic);
      assert.ok(topic !== undefined, `process ${number} does not know topic ${ids.topic}`);
      for (let i = 0; i < ids.partitions; i += 1)
        logs.push(openPartition(await topics.partition(topic.topicId, i)));
    }
    return new Process({ surroundings, engine, topics, logs, digest, memory });
  } catch (error) {
    await engine.abandon();
    throw error;
  }
}
