import assert from "node:assert/strict";
import type { Engine, Limits, Stream, StreamBatch } from "@karst/core";
import { faultRates, noFaults } from "@karst/objectstore";
import { isKarstError } from "@karst/runtime";
import fc from "fast-check";
import { test } from "vitest";
import { DigestState, StreamModel } from "./stream-model.ts";
import { World } from "./world.ts";

const numRuns = Number(process.env["KARST_RUNS"] ?? 40);

type Operation =
  | {
      readonly tag: "append";
      readonly stream: number;
      readonly count: number;
      readonly bytes: number;
      readonly gap: number;
      readonly times: number;
      readonly timestampMs: number;
      readonly wait: boolean;
    }
  | {
      readonly tag: "read";
      readonly stream: number;
      readonly at: number;
      readonly bytesMax: number;
    }
  | { readonly tag: "find"; readonly stream: number; readonly timestampMs: number }
  | { readonly tag: "trim"; readonly stream: number; readonly at: number }
  | { readonly tag: "upload" }
  | { readonly tag: "age"; readonly ms: number }
  | { readonly tag: "reopenStream"; readonly stream: number }
  | { readonly tag: "crash"; readonly keep: "random" | "synced" | "all" | "kill" }
  | { readonly tag: "zombie" }
  | { readonly tag: "close" }
  | { readonly tag: "storeFaults"; readonly on: boolean }
  | { readonly tag: "storeDown"; readonly ms: number }
  | { readonly tag: "flood"; readonly stream: number }
  | { readonly tag: "failSync" }
  | { readonly tag: "diskFull"; readonly ms: number };

const STREAMS = 3;
const stream = fc.nat(STREAMS - 1);
const at = fc.double({ min: 0, max: 1, noNaN: true });

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      tag: fc.constant("append" as const),
      stream,
      count: fc.constantFrom(1, 1, 3, 1000),
      bytes: fc.constantFrom(20, 200, 900, 3000),
      gap: fc.constantFrom(0, 0, 0, 0, 7, 5000),
      times: fc.constantFrom(1, 3, 12),
      timestampMs: fc.nat(1000),
      wait: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      tag: fc.constant("read" as const),
      stream,
      at,
      bytesMax: fc.constantFrom(1, 500, 5000, 50_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ tag: fc.constant("find" as const), stream, timestampMs: fc.nat(1000) }),
  },
  { weight: 1, arbitrary: fc.record({ tag: fc.constant("trim" as const), stream, at }) },
  { weight: 2, arbitrary: fc.record({ tag: fc.constant("upload" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      tag: fc.constant("age" as const),
      ms: fc.constantFrom(10, 1000, 70_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ tag: fc.constant("reopenStream" as const), stream }) },
  {
    weight: 2,
    arbitrary: fc.record({
      tag: fc.constant("crash" as const),
      keep: fc.constantFrom(
        "random" as const,
        "random" as const,
        "synced" as const,
        "all" as const,
        "kill" as const,
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ tag: fc.constant("zombie" as const) }) },
  { weight: 1, arbitrary: fc.record({ tag: fc.constant("close" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ tag: fc.constant("storeFaults" as const), on: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      tag: fc.constant("storeDown" as const),
      ms: fc.constantFrom(100, 30_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ tag: fc.constant("flood" as const), stream }) },
  { weight: 1, arbitrary: fc.record({ tag: fc.constant("failSync" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ tag: fc.constant("diskFull" as const), ms: fc.constantFrom(10, 3000) }),
  },
);

const FAULTS = faultRates(
  { unavailable: 0.06, "lost-answer": 0.04, "lost-request": 0.03, "late-effect": 0.03 },
  { min: 1, max: 5_000 },
);

/** The smaller budgets bring memory pressure, the smaller blocks long objects. */
const limits = fc.record({
  memoryBudgetBytes: fc.constantFrom(512 * 1024, 200 * 1024),
  uploadBytes: fc.constantFrom(2 * 1024, 8 * 1024, 24 * 1024),
  blockBytes: fc.constantFrom(1, 1024),
  streamObjectBytesMin: fc.constantFrom(1, 4 * 1024, 1024 * 1024),
  blockCacheBytes: fc.constantFrom(4 * 1024, 64 * 1024),
});

/** One engine after another over one root, against models of its streams. */
class Run {
  readonly world: World;
  readonly models: StreamModel[] = [];
  #engine: Engine | undefined;
  #streams: (Stream | undefined)[] = [];
  #states: (DigestState | undefined)[] = [];

  readonly #limits: Partial<Limits>;

  constructor(seed: number, limits: Partial<Limits>) {
    this.world = new World(seed, { driven: true });
    this.#limits = limits;
  }

  async begin(): Promise<void> {
    for (let i = 0; i < STREAMS; i += 1)
      this.models.push(new StreamModel(await this.#until(this.world.createStream())));
    await this.#open();
  }

  async apply(operation: Operation): Promise<void> {
    switch (operation.tag) {
      case "append":
        return this.#append(operation);
      case "read":
        return this.#read(operation.stream, operation.at, operation.bytesMax);
      case "find":
        return this.#find(operation.stream, operation.timestampMs);
      case "trim":
        return this.#trim(operation.stream, operation.at);
      case "upload":
        await this.#tolerating(this.#engine?.upload());
        return undefined;
      case "age":
        return this.world.runtime.clock.advance(operation.ms);
      case "reopenStream":
        return this.#reopenStream(operation.stream);
      case "crash":
        return this.#crash(operation.keep);
      case "zombie":
        return this.#zombie();
      case "close":
        return this.#close();
      case "storeFaults":
        this.world.store.setPlan(operation.on ? FAULTS : noFaults);
        return undefined;
      case "storeDown":
        this.world.store.down();
        await this.world.runtime.clock.advance(operation.ms);
        this.world.store.up();
        return undefined;
      case "flood":
        return this.#flood(operation.stream);
      case "failSync":
        this.world.runtime.disk.fault({ on: "datasync", effect: "lost-sync" });
        return undefined;
      case "diskFull": {
        const { disk, clock } = this.world.runtime;
        disk.capacityBytes = disk.usedBytes;
        await clock.advance(operation.ms);
        disk.capacityBytes = Infinity;
        return undefined;
      }
    }
  }

  /** Faults stop: everything acknowledged is there, now and after one more crash, and after a clean end. */
  async finish(): Promise<void> {
    this.world.store.setPlan(noFaults);
    this.world.runtime.disk.clearFaults();
    await this.#crash("random");
    await this.#checkAll();
    await this.#until(this.#engine?.upload() ?? Promise.resolve());
    await this.#checkAll();
    await this.#close();
    await this.#checkAll();
    await this.#until(this.#engine?.close() ?? Promise.resolve());
    assert.equal(this.world.memory.reservedBytes, 0);
  }

  async #append(operation: Operation & { readonly tag: "append" }): Promise<void> {
    const handle = this.#streams[operation.stream];
    const model = this.models[operation.stream] as StreamModel;
    if (handle === undefined) return;
    for (let i = 0; i < operation.times; i += 1) {
      const baseOffset = handle.logEndOffset + operation.gap;
      if (!model.append(handle, operation)) break;
      this.#states[operation.stream]?.apply({ baseOffset, endOffset: handle.logEndOffset });
      if (operation.wait) await this.world.runtime.clock.runDeferred();
    }
    if (operation.wait) await this.world.runtime.clock.advance(5);
  }

  /** More than there is room for, while nothing can be uploaded: the excess is refused. */
  async #flood(index: number): Promise<void> {
    const handle = this.#streams[index];
    if (handle === undefined) return;
    this.world.store.down();
    let taken = true;
    for (let i = 0; taken && i < 100; i += 1) {
      taken = (this.models[index] as StreamModel).append(handle, {
        count: 1,
        bytes: 3000,
        gap: 0,
        timestampMs: i,
      });
      if (taken)
        this.#states[index]?.apply({
          baseOffset: handle.logEndOffset - 1,
          endOffset: handle.logEndOffset,
        });
      await this.world.runtime.clock.runDeferred();
    }
    assert.equal(taken, false);
    this.world.store.up();
  }

  async #read(index: number, where: number, bytesMax: number): Promise<void> {
    const handle = this.#streams[index];
    if (handle === undefined) return;
    const from =
      handle.logStartOffset + Math.floor(where * (handle.highWatermark - handle.logStartOffset));
    const bound = handle.highWatermark;
    const read = await this.#tolerating(handle.read({ from, bytesMax }));
    if (read === undefined) return;
    assert.ok(
      read.nextOffset <= bound && (read.batches.at(-1)?.endOffset ?? 0) <= bound,
      "read above the high watermark",
    );
    (this.models[index] as StreamModel).checkRead(from, read.batches, read.nextOffset);
    assert.ok(
      read.nextOffset > from || from === handle.highWatermark || read.batches.length > 0,
      `no progress from ${from}`,
    );
    read.release();
  }

  async #find(index: number, timestampMs: number): Promise<void> {
    const handle = this.#streams[index];
    if (handle === undefined) return;
    await this.world.runtime.clock.advance(20);
    const expected = (this.models[index] as StreamModel).find(timestampMs);
    try {
      const found = await this.#until(handle.findByTimestamp(timestampMs));
      assert.equal(found?.baseOffset, expected);
    } catch (error) {
      if (!isKarstError(error, "unavailable", "closed", "fenced")) throw error;
    }
  }

  async #trim(index: number, where: number): Promise<void> {
    const handle = this.#streams[index];
    const model = this.models[index] as StreamModel;
    if (handle === undefined) return;
    const before =
      handle.logStartOffset + Math.floor(where * (handle.highWatermark - handle.logStartOffset));
    try {
      await this.#until(handle.trim(before));
      model.logStartOffset = Math.max(model.logStartOffset, before);
    } catch (error) {
      assert.ok(
        isKarstError(error, "unavailable", "fenced", "closed", "indeterminate"),
        String(error),
      );
      // Whether it was done is for the next opening to say.
      if (!isKarstError(error, "unavailable")) this.#doubtfulTrims.set(index, before);
    }
  }

  readonly #doubtfulTrims = new Map<number, number>();

  async #reopenStream(index: number): Promise<void> {
    const handle = this.#streams[index];
    if (handle === undefined || this.#engine === undefined) return;
    await this.#until(handle.close());
    this.#streams[index] = undefined;
    await this.#openStream(index);
  }

  async #crash(keep: "random" | "synced" | "all" | "kill"): Promise<void> {
    const { disk, clock } = this.world.runtime;
    if (keep === "kill") disk.kill();
    else disk.crash({ keep });
    // Either the process learns that its disk is gone, or it never runs again at all.
    if (keep === "all" || keep === "random")
      await this.#until(this.#engine?.abandon() ?? Promise.resolve());
    clock.clear();
    this.#engine = undefined;
    this.#streams = [];
    for (const model of this.models) model.crash();
    await this.#open();
    await this.#checkAll();
  }

  /** The old process goes on while a new one opens: it acknowledges nothing that the new one does not have. */
  async #zombie(): Promise<void> {
    const before = { engine: this.#engine, streams: this.#streams };
    this.#engine = undefined;
    this.#streams = [];
    await this.#open();
    for (const [i, ghost] of before.streams.entries()) {
      if (ghost === undefined) continue;
      let durable: Promise<void>;
      try {
        ({ durable } = ghost.append({
          payload: new Uint8Array([1, 2, 3]),
          count: 1,
          maxTimestampMs: i,
        }));
      } catch (error) {
        assert.ok(isKarstError(error), String(error));
        continue;
      }
      await assert.rejects(this.#until(durable), (error) => isKarstError(error, "indeterminate"));
    }
    await this.#until(before.engine?.abandon() ?? Promise.resolve());
    for (const model of this.models) model.crash();
    await this.#checkAll();
  }

  async #close(): Promise<void> {
    const engine = this.#engine;
    if (engine === undefined) return;
    try {
      await this.#until(engine.close());
    } catch (error) {
      assert.ok(
        isKarstError(error, "closed", "fenced", "indeterminate", "unavailable"),
        String(error),
      );
    }
    this.#engine = undefined;
    this.#streams = [];
    for (const model of this.models) model.crash();
    await this.#open();
    await this.#checkAll();
  }

  async #open(): Promise<void> {
    for (let tries = 0; this.#engine === undefined; tries += 1) {
      if (tries === 10) this.world.store.setPlan(noFaults);
      assert.ok(tries < 15, "the engine does not open");
      try {
        this.#engine = await this.#until(this.world.open({ limits: this.#limits }));
      } catch (error) {
        assert.ok(isKarstError(error, "unavailable", "closed", "indeterminate"), String(error));
        // A failed sync is struck off by then, a full disk is not full for ever.
        this.world.runtime.disk.capacityBytes = Infinity;
      }
    }
    for (let i = 0; i < STREAMS; i += 1) await this.#openStream(i);
  }

  async #openStream(index: number): Promise<void> {
    const model = this.models[index] as StreamModel;
    for (
      let tries = 0;
      this.#streams[index] === undefined && this.#engine !== undefined;
      tries += 1
    ) {
      if (tries === 10) this.world.store.setPlan(noFaults);
      const state = new DigestState();
      try {
        this.#streams[index] = await this.#until(this.#engine.openStream(model.streamId, state));
        this.#states[index] = state;
      } catch (error) {
        if (isKarstError(error, "closed", "fenced")) return;
        assert.ok(isKarstError(error, "unavailable", "indeterminate"), String(error));
        assert.ok(tries < 15, "the stream does not open");
      }
    }
    const start = this.#streams[index]?.logStartOffset ?? 0;
    const doubtful = this.#doubtfulTrims.get(index);
    if (doubtful !== undefined && start === doubtful) model.logStartOffset = start;
    this.#doubtfulTrims.delete(index);
  }

  async #checkAll(): Promise<void> {
    for (const [i, model] of this.models.entries()) {
      const handle = this.#streams[i];
      if (handle === undefined) continue;
      const shown: StreamBatch[] = [];
      const releases: (() => void)[] = [];
      let failed = false;
      for (let offset = handle.logStartOffset; offset < handle.highWatermark;) {
        const read = await this.#tolerating(handle.read({ from: offset, bytesMax: 4000 }));
        if (read === undefined) {
          failed = true;
          break;
        }
        shown.push(...read.batches.map((batch) => ({ ...batch, payload: batch.payload.slice() })));
        read.release();
        assert.ok(read.nextOffset > offset, `no progress at ${offset}`);
        offset = read.nextOffset;
      }
      for (const release of releases) release();
      if (failed) continue;
      model.check(handle, shown);
      if (handle.logStartOffset === 0 && handle.highWatermark === handle.logEndOffset)
        this.#checkState(i, shown);
    }
  }

  /** What was restored and applied is what reading everything gives. */
  #checkState(index: number, shown: readonly StreamBatch[]): void {
    const digest = new DigestState();
    for (const batch of shown) digest.apply(batch);
    assert.deepEqual(this.#states[index]?.value, digest.value);
  }

  /** The outcome, or undefined where the engine or the store was not up to it. */
  async #tolerating<T>(promise: Promise<T> | undefined): Promise<T | undefined> {
    if (promise === undefined) return undefined;
    try {
      return await this.#until(promise);
    } catch (error) {
      assert.ok(
        isKarstError(error, "unavailable", "closed", "fenced", "indeterminate"),
        String(error),
      );
      return undefined;
    }
  }

  #until<T>(promise: Promise<T>): Promise<T> {
    return this.world.runtime.clock.runUntil(promise);
  }
}

test("the engine is an array that survives crashes, faults and zombies", async () => {
  const totals = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      limits,
      fc.array(operation, { minLength: 5, maxLength: 40, size: "max" }),
      async (seed, given, operations) => {
        const run = new Run(seed, given);
        await run.begin();
        for (const one of operations) await run.apply(one);
        await run.finish();
        for (const [name, value] of Object.entries(run.world.runtime.metrics.values()))
          totals.set(name, (totals.get(name) ?? 0) + value);
      },
    ),
    {
      numRuns,
      ...(process.env["KARST_SEED"] === undefined
        ? {}
        : { seed: Number(process.env["KARST_SEED"]) }),
    },
  );
  if (process.env["KARST_PRINT"] === "1") console.log(totals);
  // The runs went where the bugs would be.
  for (const name of [
    "karst_uploads_total",
    "karst_wal_trims_total",
    "karst_recovered_frames_total",
    "karst_backlog_refusals_total",
  ]) {
    assert.ok((totals.get(name) ?? 0) >= 5, `${name} is ${totals.get(name) ?? 0}`);
  }
});
