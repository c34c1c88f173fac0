// A hole is an entry of its own: where there is room for a batch only, a batch behind a hole is refused, and leaves no hole.
// Found by family `log`, seed 86: W10, a backlog of one entry more than its limit.
import assert from "node:assert/strict";
import type { Stream } from "@karst/core";
import { test } from "vitest";
import { World } from "../engine/world.ts";

function append(stream: Stream, baseOffset?: number): void {
  const payload = new Uint8Array(1);
  const at = baseOffset === undefined ? {} : { baseOffset };
  stream.append({ payload, count: 1, maxTimestampMs: 0, ...at });
}

test("a batch behind a hole needs room for both", async () => {
  const world = new World();
  const streamId = await world.createStream();
  const engine = await world.open();
  const stream = await engine.openStream(streamId);
  world.store.down();
  assert.throws(
    () => {
      for (;;) append(stream);
    },
    { code: "UPLOAD_BACKLOG_FULL" },
  );
  const room = stream.logEndOffset;
  world.store.up();
  await world.drive(engine.upload());
  world.store.down();
  while (stream.logEndOffset < 2 * room - 1) append(stream);
  const { logEndOffset } = stream;
  assert.throws(() => append(stream, logEndOffset + 5), { code: "UPLOAD_BACKLOG_FULL" });
  assert.equal(stream.logEndOffset, logEndOffset);
  append(stream);
  await engine.abandon();
});
