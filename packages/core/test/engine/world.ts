import assert from "node:assert/strict";
import {
  type FaultyObjectStore,
  faultyObjectStore,
  MemoryBucket,
  memoryObjectStore,
  noFaults,
} from "@karst/objectstore";
import { MemoryBudget, randomId, SlabPool, utf8Decode, utf8Encode } from "@karst/runtime";
import { type SimulatedRuntime, simulatedRuntime } from "@karst/runtime/testing";
import { fileWal, simulatedDevice, type WalFactory, type WalLimits } from "@karst/wal";
import type { Engine, EngineOptions, Limits, Stream, StreamBatch } from "@karst/core";
import { counterRow, openEngine, streamOwnerRow } from "@karst/core";
import { openCatalogue } from "../../src/catalogue/open-catalogue.ts";

/** Small enough that a few batches cross every bound. */
export const TINY_LIMITS: Partial<Limits> = {
  memoryBudgetBytes: 512 * 1024,
  slabBytes: 4 * 1024,
  uploadBytes: 8 * 1024,
  unuploadedBytesMax: 64 * 1024,
  streamObjectBytesMin: 4 * 1024,
  blockBytes: 1024,
  blockCacheBytes: 64 * 1024,
  batchBytesMax: 16 * 1024,
};

export const TINY_WAL_LIMITS: Partial<WalLimits> = {
  segmentBytes: 16 * 1024,
  firstSegmentBytes: 16 * 1024,
  groupBytesMax: 8 * 1024,
  pendingBytesMax: 64 * 1024,
};

/** A bucket and a WAL that outlive the engines opened on them, in a world that a seed determines. */
export class World {
  readonly bucket: MemoryBucket = new MemoryBucket();
  readonly store: FaultyObjectStore;
  runtime: SimulatedRuntime;
  /** Of the engine opened last. */
  memory: MemoryBudget = new MemoryBudget(1);
  #directory = 0;

  /** @param options.driven nothing goes on by itself: await through `clock.runUntil`. */
  constructor(seed: number | string = 1, options: { readonly driven?: boolean } = {}) {
    this.runtime = simulatedRuntime({ seed, autoDefer: options.driven !== true });
    this.store = faultyObjectStore(memoryObjectStore({ bucket: this.bucket }), {
      random: this.runtime.random.fork("store faults"),
      plan: noFaults,
      clock: this.runtime.clock,
    });
  }

  /** Opens an engine; by default with the WAL of the engine before it. */
  async open(options: Partial<EngineOptions> = {}): Promise<Engine> {
    this.runtime = this.runtime.restart();
    return this.openOn(this.runtime, options);
  }

  async openOn(runtime: SimulatedRuntime, options: Partial<EngineOptions> = {}): Promise<Engine> {
    const limits = { ...TINY_LIMITS, ...options.limits };
    const memory = new MemoryBudget(limits.memoryBudgetBytes ?? 1);
    this.memory = memory;
    const slabs = new SlabPool({ budget: memory, slabBytes: limits.slabBytes ?? 1, poison: true });
    return openEngine({
      objectStore: this.store,
      wal: this.wal(runtime, slabs),
      runtime,
      memory,
      ...options,
      limits,
    });
  }

  wal(runtime: SimulatedRuntime, slabs: SlabPool): WalFactory {
    const directory = this.directory;
    return fileWal({
      runtime,
      slabs,
      limits: TINY_WAL_LIMITS,
      device: () => simulatedDevice({ files: runtime.blocking, directory, clock: runtime.clock }),
    });
  }

  /** From now on engines come with an empty WAL. */
  loseWal(): void {
    this.#directory += 1;
  }

  /** The WAL before the one that was lost last is back. */
  findWal(): void {
    this.#directory -= 1;
  }

  get directory(): string {
    return `/wal-${this.#directory}`;
  }

  /** Returns what puts the bucket back to what it holds now. */
  backUpBucket(): () => void {
    const content = this.bucket
      .keys("", "", 1_000_000)
      .map((key) => [key, this.bucket.get(key)?.bytes ?? new Uint8Array()] as const);
    return () => {
      for (const key of this.bucket.keys("", "", 1_000_000)) this.bucket.delete(key);
      for (const [key, bytes] of content) this.bucket.set(key, bytes);
    };
  }

  /** Lets time pass until the promise settles; its outcome. */
  async drive<T>(promise: Promise<T>): Promise<T> {
    const waiting = Symbol("waiting");
    promise.catch(() => undefined);
    for (let rounds = 0; rounds < 10_000; rounds += 1) {
      await this.turns(20);
      if ((await Promise.race([promise, Promise.resolve(waiting)])) !== waiting) return promise;
      await this.runtime.clock.advance(25);
    }
    assert.fail("the promise does not settle");
  }

  /** Lets what waits for no timer go on. */
  async turns(count: number): Promise<void> {
    for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Mints a stream, as the creation of a topic does. */
  async createStream(): Promise<number> {
    return this.createStreams(1);
  }

  /** Mints streams with ids from the one returned on. */
  async createStreams(count: number): Promise<number> {
    const runtime = this.runtime.restart();
    const objectStore = memoryObjectStore({ bucket: this.bucket });
    const catalogue = await openCatalogue({ objectStore, runtime, create: true });
    const counter = counterRow.get(catalogue, "streams");
    const first = counter?.value.next ?? 1;
    const outcome = await catalogue.commit({
      id: randomId(runtime.random),
      require: [counterRow.unchanged("streams", counter)],
      put: [
        counterRow.put("streams", { next: first + count }),
        ...range(first, first + count).map((id) =>
          streamOwnerRow.put(id, { nodeId: undefined, streamEpoch: 0 }),
        ),
      ],
      delete: [],
    });
    assert.equal(outcome.tag, "ok");
    await catalogue.close();
    return first;
  }
}

/** A payload that says what it is, so that a read proves where it came from. */
export function payloadOf(streamId: number, baseOffset: number, bytes = 100): Uint8Array {
  return utf8Encode(`${streamId}@${baseOffset}.`.padEnd(bytes, "x"));
}

/** Appends a batch of `count` offsets and returns its base, without waiting. */
export function put(
  stream: Stream,
  options: {
    readonly count?: number;
    readonly bytes?: number;
    readonly baseOffset?: number;
    readonly timestampMs?: number;
  } = {},
): {
  readonly baseOffset: number;
  readonly durable: Promise<void>;
} {
  const baseOffset = options.baseOffset ?? stream.logEndOffset;
  const payload = payloadOf(stream.streamId, baseOffset, options.bytes);
  const pending = stream.append({
    payload,
    count: options.count ?? 1,
    maxTimestampMs: options.timestampMs ?? baseOffset,
    baseOffset,
  });
  assert.equal(pending.baseOffset, baseOffset);
  // The caller's buffer is the caller's again.
  payload.fill(0);
  return pending;
}

export function checkPayload(streamId: number, batch: StreamBatch): void {
  assert.ok(
    utf8Decode(batch.payload).startsWith(`${streamId}@${batch.baseOffset}.`),
    `stream ${streamId} at ${batch.baseOffset} holds other bytes`,
  );
}

/** Reads from `from` to the high watermark, checks every payload, and returns the base offsets. */
export async function readAll(
  stream: Stream,
  from: number = stream.logStartOffset,
  bytesMax = 3000,
): Promise<number[]> {
  const offsets: number[] = [];
  let offset = from;
  while (offset < stream.highWatermark) {
    const read = await stream.read({ from: offset, bytesMax });
    assert.ok(read.nextOffset > offset || read.batches.length > 0, `no progress at ${offset}`);
    let previousEnd = 0;
    for (const batch of read.batches) {
      checkPayload(stream.streamId, batch);
      assert.ok(batch.baseOffset >= previousEnd && batch.endOffset <= stream.highWatermark);
      previousEnd = batch.endOffset;
      offsets.push(batch.baseOffset);
    }
    assert.ok(read.nextOffset >= previousEnd);
    offset = read.nextOffset;
    read.release();
  }
  return offsets;
}

/** [start, end). */
export function range(start: number, end: number, step = 1): number[] {
  return Array.from(
    { length: Math.max(0, Math.ceil((end - start) / step)) },
    (_, i) => start + i * step,
  );
}
