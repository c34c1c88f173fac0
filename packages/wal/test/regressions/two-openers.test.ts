// Several processes open one WAL at the same time, as far as the courtesy lock does not keep them from it: whoever ends up with it
// must find it whole at the next start, and the others are told so. They shared their temporary files, and a late rename or removal
// hit the identity of whoever came after. Found by the engine's model test: race.
import assert from "node:assert/strict";
import { isKarstError, randomInteger } from "@karst/runtime";
import { type ManualClock, simulatedRuntime, type SimulatedRuntime } from "@karst/runtime/testing";
import { MemoryBudget, SlabPool } from "@karst/runtime";
import { fileWal, simulatedDevice, type Wal, WAL_START } from "@karst/wal";
import { test } from "vitest";

const DIRECTORY = "/data/wal";
const ROOT = "root";
const SEEDS = Number(process.env["KARST_RUNS"] ?? 60);
const STEP_MS_MAX = 5;

interface Opened {
  readonly wal: Wal;
  readonly walId: string;
  /** Offsets found at the opening. */
  readonly found: readonly number[];
}

/** A process in the world. Every one of them takes the others for dead. */
class Opener {
  readonly #runtime: SimulatedRuntime;
  readonly #stepMsMax: number;
  acknowledged: number[] = [];

  constructor(runtime: SimulatedRuntime, stepMsMax: number) {
    this.#runtime = runtime;
    this.#stepMsMax = stepMsMax;
  }

  async open(): Promise<Opened> {
    const runtime = this.#runtime;
    const steps = runtime.random.fork("steps");
    const factory = fileWal({
      runtime,
      slabs: new SlabPool({ budget: new MemoryBudget(1_000_000), slabBytes: 4096 }),
      limits: { segmentBytes: 2048, firstSegmentBytes: 2048 },
      device: () =>
        simulatedDevice({
          files: runtime.blocking,
          directory: DIRECTORY,
          clock: runtime.clock,
          stepMs: () => randomInteger(steps, 0, this.#stepMsMax),
        }),
    });
    const claim = await factory.claim({ rootId: ROOT });
    const found: number[] = [];
    try {
      const wal = await claim.recover({
        trim: WAL_START,
        onFrame: (frame) => {
          found.push(frame.baseOffset);
          frame.slab.release();
        },
        listener: { durable: () => undefined, failed: () => undefined },
      });
      return { wal, walId: claim.walId, found };
    } catch (error) {
      await claim.release();
      throw error;
    }
  }

  /** Appends what says who it is, and remembers what was acknowledged. */
  async append(wal: Wal, offset: number, bytes = 50): Promise<void> {
    wal
      .append({
        streamId: 1,
        streamEpoch: 1,
        baseOffset: offset,
        count: 1,
        maxTimestampMs: -1,
        payload: new Uint8Array(bytes),
      })
      .slab.release();
    await wal.flush();
    this.acknowledged.push(offset);
  }
}

/** Whatever else somebody is told who comes too late, or too early, is a defect. */
function tolerate(error: unknown): undefined {
  assert.ok(isKarstError(error, "conflict", "fenced", "closed"), String(error));
}

/** The power goes; the next process, alone, finds everything that was acknowledged since the WAL was last empty. */
async function reopen(runtime: SimulatedRuntime, acknowledged: readonly number[]): Promise<Opened> {
  runtime.disk.crash();
  runtime.clock.clear();
  const opened = await runtime.clock.runUntil(new Opener(runtime.restart(), 0).open());
  for (const offset of acknowledged) assert.ok(opened.found.includes(offset), `${offset} is lost`);
  return opened;
}

function startTogether(clock: ManualClock, all: readonly Promise<unknown>[]): Promise<unknown> {
  return clock.runUntil(Promise.all(all.map((one) => one.catch(tolerate))));
}

test("a new WAL", async () => {
  for (let seed = 0; seed < SEEDS; seed += 1) {
    const runtime = simulatedRuntime({ seed });
    const openers = [1, 2, 3].map(() => new Opener(runtime.restart(), STEP_MS_MAX));
    const work = openers.map(async (opener, i) => {
      const { wal } = await opener.open();
      for (let n = 0; n < 3; n += 1) await opener.append(wal, 10 * i + n);
    });
    await startTogether(runtime.clock, work);
    await reopen(
      runtime,
      openers.flatMap((opener) => opener.acknowledged),
    );
  }
});

test("a new WAL, and the power goes meanwhile", async () => {
  for (let seed = 0; seed < SEEDS; seed += 1) {
    const runtime = simulatedRuntime({ seed });
    const openers = [1, 2].map(() => new Opener(runtime.restart(), STEP_MS_MAX));
    for (const [i, opener] of openers.entries()) {
      const work = opener.open().then(async ({ wal }) => {
        for (let n = 0; n < 5; n += 1) await opener.append(wal, 10 * i + n);
      });
      work.catch(tolerate);
    }
    await runtime.clock.advance(randomInteger(runtime.random, 1, 120));
    await reopen(
      runtime,
      openers.flatMap((opener) => opener.acknowledged),
    );
  }
});

test("a WAL that its owner is about to destroy", async () => {
  for (let seed = 0; seed < SEEDS; seed += 1) {
    const runtime = simulatedRuntime({ seed });
    const owner = new Opener(runtime.restart(), STEP_MS_MAX);
    const { wal } = await runtime.clock.runUntil(owner.open());
    const openers = [1, 2].map(() => new Opener(runtime.restart(), STEP_MS_MAX));
    const work = openers.map(async (opener, i) => {
      const opened = await opener.open();
      for (let n = 0; n < 3; n += 1) await opener.append(opened.wal, 10 * i + n);
    });
    await startTogether(runtime.clock, [wal.destroy(), ...work]);
    await reopen(
      runtime,
      openers.flatMap((opener) => opener.acknowledged),
    );
  }
});

test("a WAL that succeeds a destroyed one, while an older process still prepares its segments", async () => {
  for (let seed = 0; seed < SEEDS; seed += 1) {
    const runtime = simulatedRuntime({ seed });
    // It stalls so long that the others come and go meanwhile.
    const oldest = new Opener(runtime.restart(), 40 * STEP_MS_MAX);
    const owner = new Opener(runtime.restart(), 1);
    const next = new Opener(runtime.restart(), 1);
    const { wal } = await runtime.clock.runUntil(oldest.open());
    for (let n = 0; n < 10; n += 1) oldest.append(wal, n, 400).catch(tolerate);
    let opened: Opened | undefined;
    // What an older process still does may be in the way, once.
    for (let tries = 0; opened === undefined; tries += 1) {
      assert.ok(tries < 5);
      opened = await runtime.clock.runUntil(owner.open().catch(tolerate));
    }
    await runtime.clock.runUntil(opened.wal.destroy());
    const work = next.open().then((last) => next.append(last.wal, 100));
    work.catch(tolerate);
    await runtime.clock.advance(randomInteger(runtime.random, 1, 200));
    await reopen(runtime, next.acknowledged);
  }
});
