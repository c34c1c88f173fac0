import assert from "node:assert/strict";
import { MemoryBudget, SlabPool } from "@karst/runtime";
import {
  type DiskEvent,
  type SimulatedDisk,
  type SimulatedRuntime,
  simulatedRuntime,
} from "@karst/runtime/testing";
import {
  fileWal,
  type Frame,
  simulatedDevice,
  type Wal,
  type WalLimits,
  type WalPosition,
  WAL_START,
} from "@karst/wal";
import { DIRECTORY } from "./simulated-place.ts";

export const ROOT = "root";

/** Limits so small that a few frames cross everything. */
export const TINY: Partial<WalLimits> = {
  segmentBytes: 4096,
  firstSegmentBytes: 1024,
  groupBytesMax: 700,
  groupFramesMax: 4,
  pendingBytesMax: 3000,
  scanBytes: 600,
};

const NO_POWER = "the power has gone";

export interface Entry {
  readonly id: number;
  start: number;
  end: number;
}

/** What happened, to assert that the interesting things did. */
export const crossed = {
  opened: 0,
  usurped: 0,
  recycled: 0,
  failedOpenings: 0,
  rolled: 0,
  trimmed: 0,
  cut: 0,
  failed: 0,
  full: 0,
  lost: 0,
};

/**
 * A WAL in a simulated world, and the model: an array of everything appended that may still be there, and how much of it was
 * reported durable. Every opening is compared with it.
 */
export class CrashWorld {
  runtime: SimulatedRuntime;
  wal: Wal | undefined;
  /** Above the trim; those at [0, durable) were reported durable. */
  entries: Entry[] = [];
  durable = 0;
  /** What the catalogue would say. */
  trim: WalPosition = WAL_START;
  #nextId = 1;
  /** Instances that a later claim has fenced, and that still run. */
  #usurped: Wal[] = [];
  /** What the newest opening found. */
  #found = new Set<number>();
  #doomedAt = Infinity;

  constructor(seed: number) {
    this.runtime = simulatedRuntime({ seed });
  }

  get disk(): SimulatedDisk {
    return this.runtime.disk;
  }

  append(bytes: number): void {
    const { wal } = this;
    if (wal === undefined) return;
    const id = this.#nextId;
    try {
      const { start, end, slab } = wal.append(frameOf(id, bytes));
      slab.release();
      this.#nextId += 1;
      this.entries.push({ id, start, end });
    } catch (error) {
      const code = (error as { readonly code?: string }).code;
      assert.ok(
        ["WAL_FULL", "WAL_BACKLOG_FULL", "WAL_FAILED", "WAL_CLOSED"].includes(code ?? ""),
        String(error),
      );
      if (code === "WAL_FULL") crossed.full += 1;
    }
  }

  /** Waits for everything appended; on a full disk that would be for ever. */
  async flush(): Promise<void> {
    if (this.wal === undefined || this.disk.capacityBytes !== Infinity) return;
    const flushed = this.wal.flush().catch(() => undefined);
    // Where every creation of a segment fails, too.
    if (this.#doomedAt === Infinity) await this.#run(flushed);
    else await this.runtime.clock.advance(1_000);
  }

  /** Lets everything happen that waits for no timer. */
  turn(): Promise<void> {
    return this.runtime.clock.runDeferred();
  }

  /** The owner records the trim, then trims. */
  async trimTo(fraction: number): Promise<void> {
    const { wal } = this;
    if (wal === undefined || this.durable === 0) return;
    const index = Math.min(Math.floor(fraction * this.durable), this.durable - 1);
    const entry = this.entries[index] as Entry;
    // Either edge of a frame is as good.
    this.trim = Math.max(this.trim, fraction > 0.5 ? entry.end : entry.start) as WalPosition;
    const count = this.entries.filter(({ end }) => end <= this.trim).length;
    this.durable -= count;
    this.entries.splice(0, count);
    crossed.trimmed += 1;
    await this.#run(wal.trim(this.trim).catch(() => undefined));
  }

  /** From the `operations`-th disk operation from now on, each fails: the power is going. */
  doom(operations: number): void {
    this.#doomedAt = this.disk.operations() + operations;
    this.disk.onOperation = (event: DiskEvent) => {
      if (event.phase === "before" && event.sequence >= this.#doomedAt) throw new Error(NO_POWER);
    };
  }

  /** The process ends; `lose`: and the power goes. */
  async end(lose: "nothing" | "random" | "synced"): Promise<void> {
    // The dead process's calls fail from here on; what it still does in memory is of no account.
    this.doom(0);
    const dead = this.wal;
    this.wal = undefined;
    for (const wal of dead === undefined ? this.#usurped : [dead, ...this.#usurped])
      await this.#run(wal.abandon());
    this.#usurped = [];
    if (lose === "nothing") this.disk.kill();
    else this.disk.crash({ keep: lose });
    this.runtime.clock.clear();
    this.disk.onOperation = undefined;
    this.disk.clearFaults();
    this.#doomedAt = Infinity;
    this.runtime = this.runtime.restart();
  }

  async close(): Promise<void> {
    const { wal } = this;
    if (wal === undefined) return;
    const closed = await this.#run(
      wal.close().then(
        () => true,
        () => false,
      ),
    );
    assert.ok(
      !closed || this.failed || this.durable === this.entries.length,
      "closing settles everything",
    );
    this.wal = undefined;
  }

  failed = false;
  lastError: unknown;

  /** Another process takes the WAL while this one goes on. */
  async usurp(): Promise<boolean> {
    const { wal } = this;
    if (wal === undefined) return this.open();
    this.#usurped.push(wal);
    crossed.usurped += 1;
    const opened = await this.open();
    if (!opened) this.wal = undefined;
    return opened;
  }

  /** Opens; where the world is doomed, that may fail. Compares what is there with the model. */
  open(): Promise<boolean> {
    return this.#run(this.#open());
  }

  #run<T>(promise: Promise<T>): Promise<T> {
    return this.runtime.clock.runUntil(promise);
  }

  async #open(): Promise<boolean> {
    const budget = new MemoryBudget(16 * 1024 * 1024);
    const slabs = new SlabPool({ budget, slabBytes: 2048, poison: true });
    const { runtime } = this;
    const device = () =>
      simulatedDevice({ files: runtime.blocking, directory: DIRECTORY, clock: runtime.clock });
    const recovered: Entry[] = [];
    this.failed = false;
    const mine: { entries: Entry[] | undefined } = { entries: undefined };
    let wal: Wal;
    try {
      const claim = await fileWal({ device, runtime, slabs, limits: TINY }).claim({ rootId: ROOT });
      try {
        wal = await claim.recover({
          trim: this.trim,
          onFrame: (frame) => {
            const { start, end } = frame;
            recovered.push({ id: idOf(frame), start, end });
            frame.slab.release();
          },
          listener: {
            durable: (position) => this.#durableTo(position, mine.entries),
            failed: () => this.#onFailed(mine.entries === this.entries),
          },
        });
      } catch (error) {
        await claim.release();
        throw error;
      }
    } catch (error) {
      const code = (error as { readonly code?: string }).code ?? "";
      const expected =
        ["IO_ERROR", "NO_SPACE", "WAL_FAILED", "WAL_FULL"].includes(code) ||
        String(error).includes(NO_POWER);
      assert.ok(expected, (error as Error).stack);
      crossed.failedOpenings += 1;
      this.lastError = error;
      return false;
    }
    const ids = this.entries.map(({ id }) => id);
    assert.deepEqual(
      recovered.map(({ id }) => id),
      ids.slice(0, recovered.length),
      "a prefix of what was appended",
    );
    assert.ok(
      recovered.length >= this.durable,
      `${this.durable} were durable, ${recovered.length} survived`,
    );
    crossed.opened += 1;
    crossed.lost += this.entries.length - recovered.length;
    crossed.cut += runtime.log.of("wal-tail-cut").length;
    this.entries = recovered;
    mine.entries = recovered;
    this.#found = new Set(recovered.map(({ id }) => id));
    // What an opening has handed over, it has made durable.
    this.durable = recovered.length;
    this.wal = wal;
    return true;
  }

  #onFailed(newest: boolean): void {
    if (newest) this.failed = true;
    crossed.failed += 1;
  }

  /** What is reported durable is, on every medium that a crash may leave; and a later claim has found it. */
  #durableTo(position: number, entries: Entry[] | undefined): void {
    if (entries !== this.entries) {
      for (const { id, end } of entries ?? [])
        assert.ok(
          end > position || end <= this.trim || this.#found.has(id),
          `${id} was reported by a fenced instance`,
        );
      return;
    }
    while (
      this.durable < this.entries.length &&
      (this.entries[this.durable] as Entry).end <= position
    ) {
      const { start, end } = this.entries[this.durable] as Entry;
      assert.ok(this.#isDurable(start, end), `[${start}, ${end}) was reported durable and is not`);
      this.durable += 1;
    }
  }

  #isDurable(start: number, end: number): boolean {
    const names = this.disk.listAll().filter((path) => path.includes("/segment-"));
    const path = names.findLast((name) => baseOf(name) <= start);
    if (path === undefined) return false;
    crossed.rolled += baseOf(path) > 0 ? 1 : 0;
    crossed.recycled += this.disk.bytesOf(path)[15] as number;
    const base = baseOf(path);
    return this.disk.isDurable(path, 512 + start - base, 512 + end - base);
  }
}

function baseOf(path: string): number {
  return Number(path.slice(path.lastIndexOf("-") + 1));
}

export function frameOf(id: number, bytes: number): Frame {
  const payload = new Uint8Array(bytes).map((_, i) => (id + i) & 0xff);
  return {
    streamId: id,
    streamEpoch: 1,
    baseOffset: id * 3,
    count: 3,
    maxTimestampMs: id,
    payload,
  };
}

/** Checks the frame's bytes, too. */
export function idOf(frame: Frame): number {
  const { streamId, streamEpoch, baseOffset, count, maxTimestampMs, payload } = frame;
  const expected = frameOf(streamId, payload.length);
  assert.deepEqual(
    { streamId, streamEpoch, baseOffset, count, maxTimestampMs, payload: new Uint8Array(payload) },
    { ...expected },
  );
  return streamId;
}
