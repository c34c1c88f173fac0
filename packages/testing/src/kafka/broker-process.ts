import { type Broker, type BrokerOptions, startBroker } from "@karst/broker";
import { type Engine, openEngine, openTopics, type Topics } from "@karst/core";
import { MemoryBudget, randomInteger, type Runtime, SlabPool } from "@karst/runtime";
import type { RecordingLogger } from "@karst/runtime/testing";
import { fileWal, simulatedDevice, type WalFactory } from "@karst/wal";
import { type Life, MortalClock } from "../world/life.ts";
import type { Surroundings } from "../world/machine.ts";
import { ENGINE_LIMITS, MEMORY_BYTES, PORT, WAL_DIRECTORY, WAL_LIMITS } from "./limits.ts";
import { MortalNet, type MortalNetOptions } from "./mortal-net.ts";

/** What is said to a broker beside where it listens. */
export type BrokerSettings = Pick<
  BrokerOptions,
  "limits" | "groupInitialRebalanceDelayMs" | "groupStateLimits"
>;

/** One process with a broker: the package as it is, over the simulated ports. */
export class BrokerProcess {
  readonly number: number;
  readonly life: Life;
  readonly engine: Engine;
  readonly topics: Topics;
  readonly broker: Broker;
  readonly memory: MemoryBudget;
  readonly #log: RecordingLogger;
  /** Why the engine failed. */
  failure: Error | undefined;

  constructor(parts: {
    readonly surroundings: Surroundings;
    readonly engine: Engine;
    readonly topics: Topics;
    readonly broker: Broker;
    readonly memory: MemoryBudget;
  }) {
    this.number = parts.surroundings.number;
    this.life = parts.surroundings.life;
    this.engine = parts.engine;
    this.topics = parts.topics;
    this.broker = parts.broker;
    this.memory = parts.memory;
    this.#log = parts.surroundings.runtime.log;
    parts.engine.failed.then(
      (error) => {
        this.failure = error;
      },
      () => undefined,
    );
  }

  hasLogged(event: string): boolean {
    return this.#log.events.some((logged) => logged.event === event);
  }

  /** Whether it is there, and can be of use. */
  get works(): boolean {
    return !this.life.isOver && this.failure === undefined;
  }

  /** Ends in order. */
  async close(): Promise<void> {
    await this.broker.close();
    await this.topics.close();
    await this.engine.close();
  }

  /** Ends as a process does whose engine has failed. */
  async abandon(): Promise<void> {
    await this.broker.close();
    await this.engine.abandon();
  }
}

/**
 * Opens an engine and starts a broker over it. What it rejects with leaves nothing open.
 *
 * @param watch sees what the WAL says.
 * @param settings the broker's, and with `serve` what it is given in place of the engine's topics.
 */
export async function openBrokerProcess(
  surroundings: Surroundings,
  network: Pick<MortalNetOptions, "net" | "onBytes">,
  watch: (wal: WalFactory) => WalFactory,
  settings: BrokerSettings & { readonly serve: (topics: Topics) => Topics },
): Promise<BrokerProcess> {
  const { life, runtime: world, store, stepMsMax } = surroundings;
  const random = world.random.fork("net");
  const runtime: Runtime = {
    ...world,
    clock: new MortalClock(world.clock, life),
    net: new MortalNet({ ...network, clock: world.clock, random, life }),
  };
  const memory = new MemoryBudget(MEMORY_BYTES);
  const slabs = new SlabPool({
    budget: memory,
    slabBytes: ENGINE_LIMITS.slabBytes ?? 1,
    poison: true,
  });
  const steps = world.random.fork("steps");
  const wal = fileWal({
    runtime,
    slabs,
    limits: WAL_LIMITS,
    device: () =>
      simulatedDevice({
        files: world.blocking,
        directory: WAL_DIRECTORY,
        clock: runtime.clock,
        ...(stepMsMax > 0 && { stepMs: () => randomInteger(steps, 0, stepMsMax * 1000) / 1000 }),
      }),
  });
  const engine = await openEngine({
    objectStore: store,
    wal: watch(wal),
    runtime,
    memory,
    limits: ENGINE_LIMITS,
  });
  try {
    const topics = await openTopics(engine);
    const { serve, ...said } = settings;
    const broker = await startBroker({
      ...said,
      engine,
      topics: serve(topics),
      runtime,
      listen: { host: "broker", port: PORT },
      autoCreateTopics: false,
    });
    return new BrokerProcess({ surroundings, engine, topics, broker, memory });
  } catch (error) {
    await engine.abandon();
    throw error;
  }
}
