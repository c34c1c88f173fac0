import assert from "node:assert/strict";
import { type Engine, nodeRow, openEngine, openTopics, type Topics } from "@karst/core";
import { MemoryBudget, randomInteger, SlabPool } from "@karst/runtime";
import { fileWal, simulatedDevice, type WalFactory } from "@karst/wal";
import { DIRECTORY, type Size } from "./limits.ts";
import type { Attempt, LogModel } from "./log-model.ts";
import { type Life, MortalClock } from "../world/life.ts";
import type { Surroundings } from "../world/machine.ts";
import { DigestState, openPartition, openStream, type OpenLog } from "./open-log.ts";

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
  /** Of the node's record, as this process wrote it. */
  readonly nodeEpoch: number;
  readonly #ids: LogIds | undefined;
  #logs: readonly LogOf[];
  readonly memory: MemoryBudget;
  /** In the order of the calls. */
  readonly attempts: Attempt[] = [];
  /** How many of them, from the first, are facts. */
  #settled = 0;
  /** By log, those of its appends that its watermark has not passed. */
  readonly #unobserved = new Map<LogModel, Attempt[]>();
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
    readonly nodeEpoch: number;
    readonly ids: LogIds | undefined;
    readonly logs: readonly LogOf[];
    readonly memory: MemoryBudget;
  }) {
    this.number = parts.surroundings.number;
    this.life = parts.surroundings.life;
    this.engine = parts.engine;
    this.topics = parts.topics;
    this.nodeEpoch = parts.nodeEpoch;
    this.#ids = parts.ids;
    this.#logs = parts.logs;
    this.memory = parts.memory;
    this.engine.failed.then(
      (error) => {
        this.failure = error;
      },
      () => assert.fail("Engine.failed never rejects"),
    );
  }

  /** One more append was taken. @returns how many there are. */
  add(attempt: Attempt): number {
    const unobserved = this.#unobserved.get(attempt.log);
    if (unobserved === undefined) this.#unobserved.set(attempt.log, [attempt]);
    else unobserved.push(attempt);
    return this.attempts.push(attempt);
  }

  /** Takes note of how far it says that everything is durable. */
  observe(model: LogModel, log: OpenLog): void {
    model.observe(log);
    const unobserved = this.#unobserved.get(model) ?? [];
    let count = 0;
    while ((unobserved[count]?.endOffset ?? Infinity) <= log.highWatermark) {
      model.settle(unobserved[count] as Attempt);
      count += 1;
    }
    unobserved.splice(0, count);
  }

  /** The first `count` appends are there, and will be. */
  settleUpTo(count: number): void {
    for (; this.#settled < count; this.#settled += 1) {
      const attempt = this.attempts[this.#settled] as Attempt;
      attempt.log.settle(attempt);
    }
  }

  log(index: number): OpenLog {
    return (this.#logs[index] as LogOf).log;
  }

  /** Of the raw stream. */
  get digest(): string {
    return this.#logs[0]?.digest?.value ?? "";
  }

  /** Closes a log, and opens it again. */
  async reopen(index: number): Promise<void> {
    assert.ok(this.#ids !== undefined, "a process without logs");
    await this.log(index).close();
    const again = await openLog(this.engine, this.topics, this.#ids, index);
    this.#logs = this.#logs.map((one, i) => (i === index ? again : one));
  }
}

/**
 * Opens an engine, and every log where `ids` are known. What it rejects with leaves nothing open.
 *
 * @param watch sees what the WAL says.
 */
export async function openProcess(
  surroundings: Surroundings,
  size: Size,
  ids: LogIds | undefined,
  watch: (wal: WalFactory) => WalFactory = (wal) => wal,
): Promise<Process> {
  const { life, runtime: world, store } = surroundings;
  const runtime = { ...world, clock: new MortalClock(world.clock, life) };
  const memory = new MemoryBudget(size.memoryBytes);
  const slabs = new SlabPool({
    budget: memory,
    slabBytes: size.limits.slabBytes ?? 1,
    poison: true,
  });
  const steps = stepsOf(surroundings);
  const wal = fileWal({
    runtime,
    slabs,
    limits: size.walLimits,
    device: () =>
      simulatedDevice({
        files: world.blocking,
        directory: DIRECTORY,
        clock: runtime.clock,
        ...(steps !== undefined && { stepMs: steps }),
      }),
  });
  const engine = await openEngine({
    objectStore: store,
    wal: watch(wal),
    runtime,
    memory,
    limits: { ...size.limits, memoryBudgetBytes: size.memoryBytes },
  });
  // Before the image knows of somebody who came later.
  const nodeEpoch = nodeRow.get(engine.catalogue, engine.nodeId)?.value.epoch ?? 0;
  try {
    const topics = await openTopics(engine);
    const logs: LogOf[] = [];
    if (ids !== undefined) {
      for (let i = 0; i <= ids.partitions; i += 1) logs.push(await openLog(engine, topics, ids, i));
    }
    return new Process({ surroundings, engine, topics, nodeEpoch, ids, logs, memory });
  } catch (error) {
    await engine.abandon();
    throw error;
  }
}

/** How long each step of the WAL's device takes; undefined: no time. */
function stepsOf({ runtime, stepMsMax, stall }: Surroundings): (() => number) | undefined {
  if (stepMsMax === 0 && stall === undefined) return undefined;
  const random = runtime.random.fork("steps");
  return () => {
    const stalledMs = stall?.ms ?? 0;
    if (stall !== undefined) stall.ms = 0;
    return stalledMs + randomInteger(random, 0, stepMsMax * 1000) / 1000;
  };
}

interface LogOf {
  readonly log: OpenLog;
  /** Of a raw stream. */
  readonly digest?: DigestState;
}

async function openLog(engine: Engine, topics: Topics, ids: LogIds, index: number): Promise<LogOf> {
  if (index === 0) {
    const digest = new DigestState();
    return { log: openStream(await engine.openStream(ids.streamId, digest), digest), digest };
  }
  const topic = topics.byName(ids.topic);
  assert.ok(topic !== undefined, `an engine does not know topic ${ids.topic}`);
  return { log: openPartition(await topics.partition(topic.topicId, index - 1)) };
}
