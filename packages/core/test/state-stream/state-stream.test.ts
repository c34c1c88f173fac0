import assert from "node:assert/strict";
import { hasStateStream, openStateStream, type StateChange, streamStartRow } from "@karst/core";
import { type MemoryBudget, utf8Encode } from "@karst/runtime";
import { beforeEach, test } from "vitest";
import { StateWorld, TINY_STATE_LIMITS } from "./world.ts";

let world: StateWorld;

beforeEach(async () => {
  world = await StateWorld.open();
});

function change(key: string, value: string | undefined): StateChange {
  return { key: utf8Encode(key), value: value === undefined ? undefined : utf8Encode(value) };
}

/** Also what could be evicted. @returns how many bytes. */
function takeAllBut(memory: MemoryBudget, bytes: number): number {
  let taken = 0;
  for (
    let more = memory.freeBytes + 1;
    memory.tryReserveEvicting(more);
    more = memory.freeBytes + 1
  )
    taken += more;
  const rest = memory.freeBytes - bytes;
  memory.reserve(rest, "somebody else");
  return taken + rest;
}

function startOffset(): number {
  return streamStartRow.get(world.engine.catalogue, world.state.streamId)?.value.offset ?? -1;
}

/** Writes until a snapshot has let the log be trimmed. */
async function writeUntilTrimmed(): Promise<void> {
  const before = startOffset();
  for (let n = 0; startOffset() === before; n += 1) {
    assert(n < 200, "nothing is trimmed");
    await world.write({ [`key ${n % 5}`]: `value ${n} ${"x".repeat(50)}` });
    await world.world.turns(50);
  }
}

test("what was durable is there after a crash, and after a restart", async () => {
  await world.write({ a: "1", b: "2" });
  await world.write({ a: "3", b: undefined, c: "" });
  const content = new Map([
    ["a", "3"],
    ["c", ""],
  ]);
  assert.deepEqual(world.content, content);
  await world.crash();
  assert.deepEqual(world.content, content);
  await world.restart();
  assert.deepEqual(world.content, content);
  assert.deepEqual(world.state.get(utf8Encode("a")), utf8Encode("3"));
  assert.equal(world.state.get(utf8Encode("b")), undefined);
});

test("the first opening makes the stream, later ones find it", async () => {
  const { streamId } = world.state;
  assert(hasStateStream(world.engine, "groups"));
  assert(!hasStateStream(world.engine, "transactions"));
  await world.restart();
  assert.equal(world.state.streamId, streamId);
  const { engine } = world;
  await assert.rejects(openStateStream({ engine, kind: "groups" }), { code: "STREAM_OPEN" });
  const other = await openStateStream({ engine, kind: "transactions" });
  assert.notEqual(other.streamId, streamId);
  await other.close();
});

test("a snapshot trims the log, and everything is there afterwards", async () => {
  await world.write({ kept: "for ever", gone: "soon" });
  await world.write({ gone: undefined });
  await writeUntilTrimmed();
  await writeUntilTrimmed();
  const { content } = world;
  assert.equal(content.get("kept"), "for ever");
  assert(!content.has("gone"));
  await world.crash();
  assert.deepEqual(world.content, content);
});

test("the log stays bounded over many writes of the same keys", async () => {
  for (let n = 0; n < 300; n += 1) {
    await world.write({ [`key ${n % 3}`]: String(n) });
    if (n % 10 === 0) await world.world.turns(50);
  }
  await world.world.turns(200);
  await world.restart();
  assert(startOffset() > 200, `the log begins at ${startOffset()}`);
  assert.deepEqual([...world.content.values()].toSorted(), ["297", "298", "299"]);
});

test("a write of many parts survives whole, or not at all", async () => {
  const long = "y".repeat(1_000);
  await world.write({ long, other: "1" });
  await world.crash();
  assert.equal(world.content.get("long"), long);
  assert.equal(world.content.get("other"), "1");
});

test("what does not fit is refused, and changes nothing", async () => {
  await world.write({ a: "1" });
  assert.throws(() => world.write({ a: "2", b: "z".repeat(5_000) }), {
    code: "STATE_WRITE_TOO_LARGE",
  });
  const fill = (): void => {
    for (let n = 0; n < 100; n += 1)
      world.write({ [`f${n}`]: "z".repeat(1_000) }).catch(() => undefined);
  };
  assert.throws(fill, { code: "STATE_STREAM_FULL" });
  assert.equal(world.content.get("a"), "1");
  // Making room is always possible.
  await world.write({ f0: undefined });
  await world.write({ a: "2" });
  assert.equal(world.content.get("a"), "2");
});

test("what it holds is of the engine's memory, and what does not fit is refused", async () => {
  const { memory } = world.world;
  const before = memory.reservedBytes;
  await world.write({ a: "1" });
  const held = (): number => memory.reservedBytes - before;
  const ofTwo = held();
  await world.write({ a: "1", b: "1" });
  assert.ok(held() > ofTwo);
  // One key twice: its last value counts.
  await world.write({ b: undefined });
  world.state.write([change("b", "1"), change("b", "2".repeat(900)), change("b", undefined)]);
  await world.write({ c: "x".repeat(900) });
  const taken = takeAllBut(memory, 500);
  assert.throws(() => world.write({ a: "y".repeat(1_000) }), { code: "MEMORY_BUDGET_EXCEEDED" });
  memory.release(taken);
  assert.equal(world.content.get("a"), "1");
  await world.write({ c: undefined });
  await world.state.close();
  assert.throws(() => world.write({ a: "2" }), { code: "STREAM_CLOSED" });
  await world.engine.close();
  assert.equal(memory.reservedBytes, 0);
});

test("a state that is larger than the memory is not opened, and is there when there is more", async () => {
  for (let n = 0; n < 10; n += 1) await world.write({ [`key ${n}`]: "x".repeat(1_000) });
  const { content } = world;
  await world.world.turns(50);
  await world.state.close();
  const { memory } = world.world;
  const options = { engine: world.engine, kind: "groups", limits: TINY_STATE_LIMITS } as const;
  const taken = takeAllBut(memory, 9_000);
  await assert.rejects(openStateStream(options), { code: "MEMORY_BUDGET_EXCEEDED" });
  memory.release(taken);
  world.state = await openStateStream(options);
  assert.deepEqual(world.content, content);
  await world.close();
  assert.equal(memory.reservedBytes, 0);
});

test("a log that begins after its snapshot is refused", async () => {
  await writeUntilTrimmed();
  await world.state.close();
  const { streamId } = world.state;
  const stream = await world.engine.openStream(streamId);
  await stream.trim(stream.highWatermark);
  await stream.append({ payload: Uint8Array.of(1, 2, 3), count: 1, maxTimestampMs: -1 }).durable;
  await stream.close();
  const open = () =>
    openStateStream({ engine: world.engine, kind: "groups", limits: TINY_STATE_LIMITS });
  await assert.rejects(open, { code: "STATE_STREAM_CORRUPT" });
  const again = await world.engine.openStream(streamId);
  await again.trim(again.highWatermark);
  await again.close();
  await assert.rejects(open, { code: "STATE_STREAM_CORRUPT", message: /no snapshot/ });
});

test("writes of an engine that has ended reject, and say that nobody knows", async () => {
  const durable = world.write({ a: "1" });
  await world.engine.abandon();
  await assert.rejects(durable, { code: "APPEND_UNKNOWN" });
  assert.throws(() => world.write({ a: "2" }), { kind: "closed" });
});
