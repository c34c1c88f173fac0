// A stream that is closed while it is being trimmed is opened again with the start that the trim gave it.
// Found by family `log`, seed 113: two trims, reopen.
import assert from "node:assert/strict";
import { test } from "vitest";
import { World } from "../engine/world.ts";

test("a stream is closed while a trim is on its way", async () => {
  const world = new World();
  const streamId = await world.createStream();
  const engine = await world.open();
  const stream = await engine.openStream(streamId);
  for (let i = 0; i < 4; i += 1)
    await stream.append({ payload: new Uint8Array(100), count: 1, maxTimestampMs: 0 }).durable;
  // Nothing but the catalogue knows of the stream once nobody has it open.
  await engine.upload();
  const trimming = stream.trim(3);
  await stream.close();
  const again = await engine.openStream(streamId);
  await trimming;
  assert.equal(again.logStartOffset, 3);
  await engine.close();
});
