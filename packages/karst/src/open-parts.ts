import {
  DEFAULT_LIMITS,
  type Engine,
  engineLimits,
  type Limits,
  openEngine,
  openTopics,
  type Topics,
} from "@karst/core";
import { meteredObjectStore, type ObjectStore, probeObjectStore } from "@karst/objectstore";
import type { MemoryBudget, Runtime } from "@karst/runtime";
import { nodeRuntime } from "@karst/runtime/node";
import { DEFAULT_WAL_LIMITS, type WalFactory, type WalLimits } from "@karst/wal";
import type { EngineLimits, OpenOptions } from "./api/engine.ts";
import { checkOptions } from "./check-options.ts";
import { karstError } from "./errors.ts";
import { openPlaces, placesOf } from "./places.ts";

/** An open engine with what belongs to it. */
export interface EngineParts {
  readonly engine: Engine;
  readonly topics: Topics;
  /** Where the objects and the WAL are, for people. */
  readonly root: string;
  readonly wal: string;
  /** Closes topics, engine and, unless it was injected, the store, in this order; each also where one before has failed. */
  close(): Promise<void>;
}

/** What an engine is opened over. */
interface Ground {
  readonly objectStore: ObjectStore;
  readonly wal: WalFactory;
  readonly memory: MemoryBudget | undefined;
  readonly root: string;
  readonly walLocation: string;
  /** Whether the store is ours to close. */
  readonly owned: boolean;
}

/** @throws as `open`. What was opened before a failure is closed again. */
export async function openParts(options: OpenOptions): Promise<EngineParts> {
  checkOptions(options);
  const runtime = options.runtime ?? nodeRuntime();
  const ground = await openGround(options, runtime);
  const objectStore = meteredObjectStore(ground.objectStore, runtime.metrics);
  const closers: (() => Promise<void>)[] = [];
  if (ground.owned) closers.push(() => objectStore.close());
  try {
    await probeObjectStore(objectStore, runtime.random.fork("probe"));
    const engine = await openEngine({
      objectStore,
      wal: ground.wal,
      runtime,
      limits: limitsOf(options.limits ?? {}, DEFAULT_LIMITS),
      ...(ground.memory === undefined ? {} : { memory: ground.memory }),
      ...(options.abandonWal === undefined ? {} : { abandonWal: options.abandonWal }),
    });
    closers.push(() => engine.close());
    const topics = await openTopics(engine);
    closers.push(() => topics.close());
    const { root, walLocation: wal } = ground;
    return { engine, topics, root, wal, close: () => closeAll(closers) };
  } catch (error) {
    await closeAll(closers).catch((cause: unknown) => {
      runtime.log.warn("close-after-failed-open", { reason: String(cause) });
    });
    throw explained(error, options);
  }
}

async function openGround(options: OpenOptions, runtime: Runtime): Promise<Ground> {
  try {
    // The engine would refuse them too, but only after the store has been tried.
    engineLimits(limitsOf(options.limits ?? {}, DEFAULT_LIMITS));
    return await groundOf(options, runtime);
  } catch (error) {
    throw explained(error, options);
  }
}

/** Engine and WAL refuse limits that contradict each other as misuse; here they are settings. */
function explained(error: unknown, { limits = {} }: OpenOptions): unknown {
  const settings = Object.keys(limits).some((name) => String(error).includes(name));
  return error instanceof TypeError && settings
    ? karstError("INVALID_OPTIONS", error.message, error)
    : error;
}

async function groundOf(options: OpenOptions, runtime: Runtime): Promise<Ground> {
  if (options.objectStore !== undefined) {
    const { objectStore, wal, memory } = options;
    const { location } = objectStore;
    return { objectStore, wal, memory, root: location, walLocation: wal.kind, owned: false };
  }
  const limits = options.limits ?? {};
  const memoryBudgetBytes = limits.memoryBudgetBytes ?? DEFAULT_LIMITS.memoryBudgetBytes;
  // A slab is at most an eighth of the budget.
  const slabBytes =
    limits.slabBytes ?? Math.min(DEFAULT_LIMITS.slabBytes, Math.floor(memoryBudgetBytes / 8));
  const wal = limitsOf(limits, DEFAULT_WAL_LIMITS);
  const places = await openPlaces(placesOf(options), runtime, {
    memoryBudgetBytes,
    slabBytes,
    wal,
  });
  return { ...places, owned: true };
}

/** Those of the given limits that a table has. */
function limitsOf<Table extends Limits | WalLimits>(
  given: Partial<EngineLimits>,
  table: Table,
): Partial<Table> {
  const own = Object.entries(given).filter(([name]) => Object.hasOwn(table, name));
  return Object.fromEntries(own) as Partial<Table>;
}

/** Last opened, first closed. @throws the first failure, after all were tried. */
async function closeAll(closers: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of closers.toReversed()) {
    try {
      await close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
