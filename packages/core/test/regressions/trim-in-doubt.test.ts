// The image has a trim, or a deletion, before whoever asked for it is told. A reader that looked at it then, because an object was not
// there at first, took what it no longer references for lost: `OBJECT_MISSING`, which calls an operator.
import assert from "node:assert/strict";
import { randomId } from "@karst/runtime";
import { noFaults } from "@karst/objectstore";
import { type Engine, objectRow, type Stream, streamOwnerRow } from "@karst/core";
import { test } from "vitest";
import { put, World } from "../engine/world.ts";

/** Longer than a catalogue that cannot be reached is waited for at a time. */
const UNREACHABLE_MS = 8_000;

/** What is in it is in objects alone. */
async function coldStream(world: World): Promise<{ engine: Engine; stream: Stream }> {
  const streamId = await world.createStream();
  const before = await world.open();
  const stream = await before.openStream(streamId);
  for (let i = 0; i < 10; i += 1) await put(stream, { bytes: 700 }).durable;
  await before.close();
  const engine = await world.open();
  return { engine, stream: await engine.openStream(streamId) };
}

test("a read below a trim that is in doubt is out of range", async () => {
  const world = new World();
  const { engine, stream } = await coldStream(world);
  let answered = true;
  world.store.setPlan(({ method, key }) => {
    if (key.startsWith("objects/")) return { tag: "not-found" };
    if (method === "putIfAbsent" && answered) {
      answered = false;
      return { tag: "lost-answer" };
    }
    return answered ? undefined : { tag: "unavailable" };
  });
  const trimming = stream.trim(10);
  trimming.catch(() => undefined);
  await world.turns(20);
  for (let ms = 0; ms < UNREACHABLE_MS; ms += 250) await world.runtime.clock.advance(250);
  world.store.setPlan(({ key }) => (key.startsWith("objects/") ? { tag: "not-found" } : undefined));
  const reading = world.drive(stream.read({ from: 0, bytesMax: 1 }));
  await assert.rejects(reading, { code: "OFFSET_OUT_OF_RANGE" });
  assert.equal(await world.drive(stream.findByTimestamp(0)), undefined);
  assert.equal(stream.logStartOffset, 0, "the trim is not in doubt any more");
  world.store.setPlan(noFaults);
  await world.drive(trimming);
  assert.equal(stream.logStartOffset, 10);
  await engine.abandon();
});

test("a read of a stream that is deleted is fenced", async () => {
  const world = new World();
  const { engine, stream } = await coldStream(world);
  const outcome = await engine.catalogue.commit({
    id: randomId(engine.runtime.random),
    require: [],
    put: [],
    delete: [
      streamOwnerRow.key(stream.streamId),
      ...[...objectRow.scan(engine.catalogue)].map(({ id }) => objectRow.key(id)),
    ],
  });
  assert.equal(outcome.tag, "ok");
  world.store.setPlan(({ key }) => (key.startsWith("objects/") ? { tag: "not-found" } : undefined));
  await assert.rejects(world.drive(stream.read({ from: 0, bytesMax: 1 })), {
    code: "STREAM_FENCED",
  });
  await engine.abandon();
});
