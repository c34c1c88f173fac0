import assert from "node:assert/strict";
import { CODEC_MASK, CODEC_NAMES, readAttributes } from "@karst/records";
import { viewOf } from "@karst/runtime";
import { type Compression, open } from "karst";
import { onTestFinished, test } from "vitest";
import { EngineHandle } from "../../src/engine-handle.ts";
import { type EngineParts, openParts } from "../../src/open-parts.ts";
import { collect, openEngine, temporaryDirectory, texts } from "../world.ts";

const COMPRESSIONS = ["gzip", "snappy", "lz4", "zstd"] as const;

async function parts(): Promise<EngineParts> {
  const opened = await openParts({ root: "memory:" });
  onTestFinished(() => opened.close());
  return opened;
}

/** Codec and records of each batch of a topic of one partition. */
async function storedIn(
  { topics }: EngineParts,
  name: string,
): Promise<(readonly [string | undefined, number])[]> {
  const log = await topics.partition(topics.byName(name)?.topicId ?? "", 0);
  const read = await log.read({ from: 0, bytesMax: 1 << 24, isolation: "read_uncommitted" });
  const stored = read.batches.map(
    ({ payload, baseOffset, endOffset }) =>
      [CODEC_NAMES[readAttributes(viewOf(payload)) & CODEC_MASK], endOffset - baseOffset] as const,
  );
  read.release();
  return stored;
}

test.each(COMPRESSIONS)(
  "%s: shared, atomic and conditional batches, and sessions",
  async (name) => {
    const opened = await parts();
    const topic = new EngineHandle(opened).topic("t", { compression: name });
    const value = (i: number): string => `${i % 2} and again `.repeat(20);
    await topic.append({ value: value(0) });
    await Promise.all(Array.from({ length: 50 }, (_, i) => topic.append({ value: value(i) })));
    await topic.append([{ value: value(0) }, { value: value(1) }]);
    await topic.append({ value: value(0) }, { ifOffset: 53 });
    const session = topic.appendSession();
    for (let i = 0; i < 3; i += 1) await session.submit({ value: value(i) });
    await session.close();
    const stored = await storedIn(opened, "t");
    assert.deepEqual(stored.slice(0, 4), [
      [name, 1],
      [name, 50],
      [name, 2],
      [name, 1],
    ]);
    assert.ok(stored.every(([codec]) => codec === name));
    const read = await texts(topic.read());
    assert.equal(read.length, 57);
    assert.deepEqual(new Set(read), new Set([value(0), value(1)]));
  },
);

test("a batch that would not become smaller, or too small to be opened, stays as it is", async () => {
  const opened = await parts();
  const topic = new EngineHandle(opened).topic("t", { compression: "zstd" });
  await topic.append({ value: "x" });
  await topic.append({ value: new Uint8Array(100_000) });
  await topic.append({ value: "y" });
  assert.deepEqual(await storedIn(opened, "t"), [
    ["none", 1],
    ["zstd", 1],
    ["none", 1],
  ]);
  assert.equal((await collect(topic.read())).length, 3);
});

test("max.message.bytes is of what is stored", async () => {
  const engine = await openEngine();
  const configs = { "max.message.bytes": "2000" };
  const plain = engine.topic("t", { configs });
  const compressed = engine.topic("t", { compression: "lz4" });
  const value = "again and ".repeat(1_000);
  await assert.rejects(plain.append({ value }), { code: "BATCH_TOO_LARGE" });
  await compressed.append({ value });
  assert.deepEqual(await texts(plain.read()), [value]);
});

test("one bad record of a compressed batch fails nobody else's", async () => {
  const engine = await openEngine();
  const topic = engine.topic("t", {
    compression: "gzip",
    configs: { "message.timestamp.before.max.ms": "1000" },
  });
  await topic.append({ value: "first" });
  const values = ["a", "b", "c"].map((letter) => letter.repeat(200));
  const appended = await Promise.allSettled(
    values.map((value, i) => topic.append(i === 1 ? { value, timestampMs: 5 } : { value })),
  );
  assert.deepEqual(
    appended.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  assert.deepEqual(await texts(topic.read()), ["first", values[0], values[2]]);
});

test("compressed records survive a restart", async () => {
  const root = `file:${temporaryDirectory()}`;
  const first = await open({ root });
  for (const compression of COMPRESSIONS) {
    await first.topic("t", { compression }).append({ value: compression.repeat(100) });
  }
  await first.close();
  const second = await openEngine({ root });
  assert.deepEqual(
    await texts(second.topic("t").read()),
    COMPRESSIONS.map((name) => name.repeat(100)),
  );
});

test("a compression that is none of Kafka's is refused at once", async () => {
  const engine = await openEngine();
  assert.throws(() => engine.topic("t", { compression: "brotli" as Compression }), TypeError);
});
