import assert from "node:assert/strict";
import { isKarstError, MemoryBudget, SlabPool } from "@karst/runtime";
import {
  recordingLogger,
  SeededRandom,
  type SimulatedDisk,
  simulatedRuntime,
} from "@karst/runtime/testing";
import {
  fileWal,
  type RecoveredFrame,
  simulatedDevice,
  type WalPosition,
  WAL_START,
} from "@karst/wal";
import { CrashWorld, frameOf, idOf, ROOT, TINY } from "../crash-world.ts";
import { DIRECTORY } from "../simulated-place.ts";

export type Outcome =
  | {
      readonly tag: "opened";
      readonly ids: readonly number[];
      readonly cuts: number;
      readonly end: WalPosition;
    }
  | { readonly tag: "refused"; readonly code: string; readonly message: string };

/** A log over several segments, and copies of its disk to do harm to. */
export class DamageWorld {
  readonly #world: CrashWorld;
  ids: readonly number[] = [];

  private constructor(world: CrashWorld) {
    this.#world = world;
  }

  /** `seal`: the last group's watermark is written, too. */
  static async make(options: {
    readonly frames: number;
    readonly seal: boolean;
    readonly trim?: number;
  }): Promise<DamageWorld> {
    const world = new CrashWorld(3);
    assert.ok(await world.open());
    for (let n = 0; n < options.frames; n += 1) {
      world.append(20 + ((n * 37) % 150));
      if (n % 3 === 0) await world.flush();
    }
    await world.flush();
    // The last frame is alone in its group.
    world.append(90);
    await world.flush();
    if (options.trim !== undefined) await world.trimTo(options.trim);
    if (options.seal) await world.runtime.clock.advance(1_000);
    await world.turn();
    const damage = new DamageWorld(world);
    damage.ids = world.entries.map(({ id }) => id);
    return damage;
  }

  get trim(): WalPosition {
    return this.#world.trim;
  }

  get lastEntry(): { readonly start: number; readonly end: number } {
    return this.#world.entries.at(-1) as { readonly start: number; readonly end: number };
  }

  copy(): SimulatedDisk {
    return this.#world.disk.clone(new SeededRandom(1));
  }

  /** Path and position in the file of a position of the log. */
  fileOf(position: number): { readonly path: string; readonly at: number } {
    const path = segmentPaths(this.#world.disk).findLast(
      (name) => baseOf(name) <= position,
    ) as string;
    return { path, at: 512 + position - baseOf(path) };
  }

  open(disk: SimulatedDisk, trim: WalPosition = this.trim): Promise<Outcome> {
    return openDisk(disk, trim);
  }

  /** What damage must come to: the same content, or a refusal that changed nothing. */
  async assertRefusedOrWhole(disk: SimulatedDisk, what: string): Promise<Outcome> {
    const before = contentOf(disk);
    const outcome = await this.open(disk);
    if (outcome.tag === "opened") assert.deepEqual(outcome.ids, this.ids, what);
    else {
      assert.ok(
        ["WAL_CORRUPT", "WAL_VERSION", "WAL_STALE"].includes(outcome.code),
        `${what}: ${outcome.code} ${outcome.message}`,
      );
      assert.deepEqual(contentOf(disk), before, `${what}: a refused log was changed`);
    }
    return outcome;
  }
}

export async function openDisk(
  disk: SimulatedDisk,
  trim: WalPosition = WAL_START,
  rootId: string = ROOT,
): Promise<Outcome> {
  const { clock, ...runtime } = simulatedRuntime({ seed: 1 });
  const log = recordingLogger();
  const slabs = new SlabPool({
    budget: new MemoryBudget(16 * 1024 * 1024),
    slabBytes: 4096,
    poison: true,
  });
  const device = () => simulatedDevice({ files: disk.blocking, directory: DIRECTORY, clock });
  const ids: number[] = [];
  const attempt = async (): Promise<Outcome> => {
    const claim = await fileWal({
      device,
      runtime: { ...runtime, clock, log },
      slabs,
      limits: TINY,
    }).claim({ rootId });
    try {
      const wal = await claim.recover({
        trim,
        onFrame: (frame: RecoveredFrame) => {
          ids.push(idOf(frame));
          frame.slab.release();
        },
        listener: { durable: () => undefined, failed: (error) => assert.fail(error) },
      });
      wal.append(frameOf(1_000_000, 10)).slab.release();
      await wal.flush();
      return { tag: "opened", ids, cuts: log.of("wal-tail-cut").length, end: wal.endPosition };
    } catch (error) {
      await claim.release();
      throw error;
    }
  };
  try {
    return await clock.runUntil(attempt());
  } catch (error) {
    if (!isKarstError(error)) throw error;
    return { tag: "refused", code: error.code, message: error.message };
  }
}

/** Everything but what a claim may write before it looks at the log. */
export function contentOf(disk: SimulatedDisk): Map<string, Uint8Array> {
  return new Map([...disk.snapshot()].filter(([path]) => !/\/(lock|fence-\d+)$/.test(path)));
}

export function segmentPaths(disk: SimulatedDisk): string[] {
  return disk.listAll().filter((path) => path.includes("/segment-"));
}

function baseOf(path: string): number {
  return Number(path.slice(path.lastIndexOf("-") + 1));
}
