import assert from "node:assert/strict";
import { MemoryBudget, SlabPool } from "@karst/runtime";
import { simulatedRuntime } from "@karst/runtime/testing";
import { fileWal, simulatedDevice, WAL_START, type WalPosition } from "@karst/wal";
import { test } from "vitest";

function world(seed = 1) {
  const runtime = simulatedRuntime({ seed, autoDefer: true });
  const budget = new MemoryBudget(1_000_000);
  const slabs = new SlabPool({ budget, slabBytes: 4096 });
  const open = async (trim: WalPosition = WAL_START) => {
    const found: number[] = [];
    const device = () =>
      simulatedDevice({
        files: runtime.disk.blocking,
        directory: "/data/wal",
        clock: runtime.clock,
      });
    const claim = await fileWal({
      device,
      runtime,
      slabs,
      limits: { segmentBytes: 1024, firstSegmentBytes: 1024 },
    }).claim({ rootId: "root" });
    try {
      const wal = await claim.recover({
        trim,
        onFrame: (f) => {
          found.push(f.baseOffset);
          f.slab.release();
        },
        listener: { durable: () => undefined, failed: () => undefined },
      });
      return { wal, found };
    } catch (error) {
      await claim.release();
      throw error;
    }
  };
  const frame = (baseOffset: number, bytes = 300) => ({
    streamId: 1,
    streamEpoch: 1,
    baseOffset,
    count: 1,
    maxTimestampMs: -1,
    payload: new Uint8Array(bytes),
  });
  return { runtime, disk: runtime.disk, budget, open, frame };
}

test("a refused opening gives its memory back", async () => {
  const { disk, budget, open } = world();
  disk.fault({ on: "write", path: /temporary-segment/, effect: "ENOSPC" });
  await assert.rejects(open(), { code: "WAL_FULL" });
  assert.equal(budget.reservedBytes, 0);
});

test("damage to the first group above the trim is refused where earlier segments are gone", async () => {
  const { disk, open, frame } = world();
  const { wal } = await open();
  const places: { start: WalPosition; end: WalPosition }[] = [];
  for (let n = 0; n < 12; n += 1) {
    const { start, end, slab } = wal.append(frame(n));
    slab.release();
    places.push({ start, end });
    await wal.flush();
  }
  // Everything below the first frame of a segment in the middle goes.
  const path = disk.listAll().filter((p) => p.includes("/segment-"))[2] as string;
  const base = Number(path.slice(path.lastIndexOf("-") + 1));
  const trim = (places.find(({ start }) => start >= base) as { start: WalPosition }).start;
  await wal.trim(trim);
  await wal.close();
  disk.flip(path, 512 + 60, 1);
  await assert.rejects(open(trim), { code: "WAL_CORRUPT" });
});

test("what is acknowledged survives though an earlier process died while it made the directory", async () => {
  const { disk, open, frame } = world();
  disk.fault({ on: "syncDirectory", path: "/", effect: "EIO" });
  await assert.rejects(open(), { code: "IO_ERROR" });
  const { wal } = await open();
  wal.append(frame(7)).slab.release();
  await wal.flush();
  disk.crash({ keep: "synced" });
  const { found } = await open();
  assert.deepEqual(found, [7]);
});

test("a file that cannot be closed leaves no other open", async () => {
  const { disk, open, frame } = world();
  let files = 0;
  disk.onOperation = ({ phase, operation, error }) => {
    if (phase === "after" && operation === "open" && error === undefined) files += 1;
    if (phase === "after" && operation === "close") files -= 1;
  };
  const { wal } = await open();
  for (let n = 0; n < 6; n += 1) {
    wal.append(frame(n)).slab.release();
    await wal.flush();
  }
  disk.fault({ on: "close", path: /segment-/, effect: "EIO" });
  await wal.close();
  assert.equal(files, 0);
});

test("a WAL that is ended while it trims can be opened again at once", async () => {
  for (let events = 0; events < 30; events += 3) {
    const runtime = simulatedRuntime({ seed: 1 });
    const slabs = new SlabPool({ budget: new MemoryBudget(1_000_000), slabBytes: 4096 });
    let trim = WAL_START;
    const open = async () => {
      const device = () =>
        simulatedDevice({
          files: runtime.disk.blocking,
          directory: "/data/wal",
          clock: runtime.clock,
          stepMs: () => 1,
        });
      const claim = await fileWal({
        device,
        runtime,
        slabs,
        limits: { segmentBytes: 1024, firstSegmentBytes: 1024 },
      }).claim({ rootId: "root" });
      try {
        return await claim.recover({
          trim,
          onFrame: (f) => f.slab.release(),
          listener: { durable: () => undefined, failed: () => undefined },
        });
      } catch (error) {
        await claim.release();
        throw error;
      }
    };
    const wal = await runtime.clock.runUntil(open());
    for (let n = 0; n < 150; n += 1) {
      wal
        .append({
          streamId: 1,
          streamEpoch: 1,
          baseOffset: n,
          count: 1,
          maxTimestampMs: -1,
          payload: new Uint8Array(300),
        })
        .slab.release();
      await runtime.clock.runUntil(wal.flush());
    }
    await runtime.clock.advance(100);
    trim = wal.durablePosition;
    const trimmed = wal.trim(trim);
    await runtime.clock.advance(events);
    await runtime.clock.runUntil(wal.abandon());
    const again = await runtime.clock.runUntil(open());
    await runtime.clock.runUntil(again.abandon());
    await runtime.clock.runUntil(trimmed);
  }
});
