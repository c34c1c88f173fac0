// Found by reading: nobody had waited for a read, which then opened a file in a directory that had been given back.
import assert from "node:assert/strict";
import { type Wal, WAL_START } from "@karst/wal";
import { test } from "vitest";
import { SimulatedPlace } from "./simulated-place.ts";

/** More than closing takes. */
const SLOW_MS = 1_000;

async function open(place: SimulatedPlace): Promise<Wal> {
  const claim = await place.start().factory.claim({ rootId: "root" });
  return claim.recover({
    trim: WAL_START,
    onFrame: (frame) => frame.slab.release(),
    listener: { durable: () => undefined, failed: () => undefined },
  });
}

test("closing waits for the reads that are on their way", async () => {
  const place = new SimulatedPlace({});
  const first = await open(place);
  const { start, slab } = first.append({
    streamId: 1,
    streamEpoch: 1,
    baseOffset: 0,
    count: 1,
    maxTimestampMs: 0,
    payload: new Uint8Array(10),
  });
  slab.release();
  await first.close();
  // What an earlier instance wrote is not open yet.
  const steps: number[] = [];
  place.stepMs = () => steps.shift() ?? 0;
  const { clock, disk } = place.runtime;
  const second = await clock.runUntil(open(place));
  let openFiles = 0;
  disk.onOperation = ({ operation, phase, error }) => {
    if (phase === "before" || error !== undefined) return;
    if (operation === "open") openFiles += 1;
    if (operation === "close") openFiles -= 1;
  };
  steps.push(SLOW_MS);
  let settled = false;
  const reading = second.read(start).then(() => {
    settled = true;
  });
  await clock.runUntil(second.close());
  assert.ok(settled);
  await reading;
  // Those that the opening left open are closed as well.
  assert.ok(openFiles <= 0, `${openFiles} files are open`);
});
