import assert from "node:assert/strict";
import { hasCode, type Topic } from "karst";
import { test } from "vitest";
import { collect, openEngine, texts } from "../world.ts";

/** Values "0", "1", … at times 1000, 1010, …, each a batch of its own. */
async function filled(topic: Topic, count: number, partition = 0): Promise<Topic> {
  for (let i = 0; i < count; i += 1) {
    await topic.append({ value: String(i), timestampMs: 1_000 + i * 10 }, { partition });
  }
  return topic;
}

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => String(from + i));

test("a reading begins where it is told to", async () => {
  const topic = await filled((await openEngine()).topic("orders"), 10);
  assert.deepEqual(await texts(topic.read()), numbers(0, 10));
  assert.deepEqual(await texts(topic.read({ from: "earliest" })), numbers(0, 10));
  assert.deepEqual(await texts(topic.read({ from: "latest" })), []);
  assert.deepEqual(await texts(topic.read({ from: { offset: 4 } })), numbers(4, 10));
  assert.deepEqual(await texts(topic.read({ from: { offset: 10 } })), []);
  assert.deepEqual(await texts(topic.read({ from: { timestamp: 1_041 } })), numbers(5, 10));
  assert.deepEqual(
    await texts(topic.read({ from: { timestamp: new Date(1_040) } })),
    numbers(4, 10),
  );
  assert.deepEqual(await texts(topic.read({ from: { timestamp: 9_999 } })), []);
  assert.deepEqual(await texts(topic.read({ from: { offsets: { 0: 7 } } })), numbers(7, 10));
});

test("an offset inside a batch is found", async () => {
  const topic = (await openEngine()).topic("orders");
  await topic.append(numbers(0, 10).map((value) => ({ value })));
  assert.deepEqual(await texts(topic.read({ from: { offset: 6 } })), numbers(6, 10));
});

test("starts that cannot be are refused", async () => {
  const topic = await filled((await openEngine()).topic("orders", { partitions: 2 }), 3);
  const refused: readonly (readonly [unknown, string])[] = [
    ["middle", "INVALID_POSITION"],
    [7, "INVALID_POSITION"],
    [{}, "INVALID_POSITION"],
    [{ offset: 1 }, "INVALID_POSITION"],
    [{ offset: -1, partition: 0 }, "INVALID_POSITION"],
    [{ timestamp: NaN }, "INVALID_POSITION"],
    [{ offsets: { 0: -1 } }, "INVALID_POSITION"],
    [{ offset: 0, partition: 2 }, "PARTITION_NOT_FOUND"],
    [{ offsets: { 5: 1 } }, "PARTITION_NOT_FOUND"],
    [{ offset: 4, partition: 0 }, "OFFSET_OUT_OF_RANGE"],
  ];
  for (const [from, code] of refused) {
    await assert.rejects(
      texts(topic.read({ from: from as never })),
      (error) => hasCode(error, code),
      JSON.stringify(from),
    );
  }
  await assert.rejects(texts(topic.read({ partitions: [2] })), (error) =>
    hasCode(error, "PARTITION_NOT_FOUND"),
  );
  await assert.rejects(texts(topic.read({ partitions: [] })), (error) =>
    hasCode(error, "INVALID_POSITION"),
  );
});

test("without follow it ends at the high watermark of the call", async () => {
  const topic = await filled((await openEngine()).topic("orders"), 3);
  const reading = topic.read();
  await topic.append({ value: "later" });
  assert.deepEqual(await texts(reading), numbers(0, 3));
});

test("latest is the latest of the call, not of the first step", async () => {
  const topic = await filled((await openEngine()).topic("orders"), 3);
  const reading = topic.read({ from: "latest", follow: true });
  await topic.append({ value: "later" });
  assert.deepEqual(await texts(reading, 1), ["later"]);
});

test("a reading that follows is woken by appends, and makes the topic it waits for", async () => {
  const topic = (await openEngine()).topic("orders", { partitions: 3 });
  const read = collect(topic.read({ follow: true }), 60);
  for (let i = 0; i < 60; i += 1) await topic.append({ value: String(i) }, { partition: i % 3 });
  const records = await read;
  for (const partition of [0, 1, 2]) {
    assert.deepEqual(
      records.filter((record) => record.partition === partition).map((record) => record.text()),
      numbers(0, 60).filter((value) => Number(value) % 3 === partition),
    );
  }
});

test("a topic that is missing is not made by a reading that ends", async () => {
  const engine = await openEngine();
  await assert.rejects(texts(engine.topic("orders").read()), (error) =>
    hasCode(error, "TOPIC_NOT_FOUND"),
  );
  await assert.rejects(
    texts(engine.topic("orders", { autoCreate: false }).read({ follow: true })),
    (error) => hasCode(error, "TOPIC_NOT_FOUND"),
  );
  assert.deepEqual(engine.listTopics(), []);
});

test("partitions take turns", async () => {
  const topic = (await openEngine()).topic("orders", { partitions: 2 });
  const value = "x".repeat(300_000);
  for (let i = 0; i < 8; i += 1) {
    await topic.append({ value }, { partition: 0 });
    await topic.append({ value }, { partition: 1 });
  }
  const turns = (await collect(topic.read())).map(({ partition }) => partition);
  assert.equal(turns.length, 16);
  assert.ok(turns.slice(0, 8).includes(0) && turns.slice(0, 8).includes(1), turns.join());
});

test("the position of every record resumes after it, over all partitions", async () => {
  const engine = await openEngine();
  const topic = engine.topic("orders", { partitions: 3 });
  for (let i = 0; i < 30; i += 1) await topic.append({ value: String(i) }, { partition: i % 3 });
  const all = await collect(topic.read());
  for (const [index, record] of all.entries()) {
    const from = JSON.parse(JSON.stringify(record.position)) as typeof record.position;
    const seen = [...all.slice(0, index + 1), ...(await collect(topic.read({ from })))];
    const ids = seen.map(({ partition, offset }) => `${partition}:${offset}`).sort();
    assert.deepEqual(ids, all.map(({ partition, offset }) => `${partition}:${offset}`).sort());
  }
});

test("the position of a reading of some partitions resumes those alone", async () => {
  const topic = (await openEngine()).topic("orders", { partitions: 3 });
  for (let i = 0; i < 9; i += 1) await topic.append({ value: String(i) }, { partition: i % 3 });
  const [first] = await collect(topic.read({ from: { offset: 1, partition: 2 } }), 1);
  assert.equal(first?.text(), "5");
  assert.deepEqual(first.position, { offsets: { 2: 2 }, others: "skip" });
  assert.deepEqual(await texts(topic.read({ from: first.position })), ["8"]);
  assert.deepEqual((await texts(topic.read({ from: { offsets: { 2: 2 } } }))).sort(), [
    "0",
    "1",
    "3",
    "4",
    "6",
    "7",
    "8",
  ]);
  assert.deepEqual((await texts(topic.read({ partitions: [1, 0] }))).sort(), [
    "0",
    "1",
    "3",
    "4",
    "6",
    "7",
  ]);
});

test("leaving the loop ends the reading", async () => {
  const topic = await filled((await openEngine()).topic("orders"), 5);
  const reading = topic.read({ follow: true });
  assert.deepEqual(await texts(reading, 2), ["0", "1"]);
  assert.deepEqual(await texts(reading), []);
});

test("an aborted signal rejects with its reason: before, between and while waiting", async () => {
  const topic = await filled((await openEngine()).topic("orders"), 5);
  const reason = new Error("enough");
  await assert.rejects(texts(topic.read({ signal: AbortSignal.abort(reason) })), reason);

  const between = new AbortController();
  const seen: string[] = [];
  await assert.rejects(async () => {
    for await (const record of topic.read({ signal: between.signal })) {
      seen.push(record.text());
      if (seen.length === 2) between.abort(reason);
    }
  }, reason);
  assert.deepEqual(seen, ["0", "1"]);

  const waiting = new AbortController();
  const following = texts(topic.read({ from: "latest", follow: true, signal: waiting.signal }));
  await topic.append({ value: "wake" });
  waiting.abort(reason);
  await assert.rejects(following, reason);
});

test("a value stays as it is for as long as it is held", async () => {
  const engine = await openEngine({
    limits: { memoryBudgetBytes: 1 << 20, uploadBytes: 1 << 16, slabBytes: 1 << 16 },
  });
  const topic = await filled(engine.topic("orders"), 20);
  const held = await collect(topic.read());
  // Many times the memory that the engine has.
  for (let i = 0; i < 300; i += 1) await topic.append({ value: "x".repeat(20_000) });
  assert.deepEqual(
    held.map((record) => record.text()),
    numbers(0, 20),
  );
});

test("text and json", async () => {
  const topic = (await openEngine()).topic("orders");
  await topic.append([{ value: '{"a":1}' }, { value: null }, { value: "no json" }]);
  const [first, tombstone, broken] = await collect(topic.read());
  assert.deepEqual(first?.json<{ a: number }>(), { a: 1 });
  assert.equal(tombstone?.text(), "");
  assert.equal(tombstone?.json(), null);
  assert.equal(tombstone?.bytes(), null);
  assert.throws(
    () => broken?.json(),
    (error) =>
      hasCode(error, "DECODING_FAILED") && /offset 2 of partition 0 of orders/.test(error.message),
  );
});

test("a trimmed offset is out of range; earliest moves with the trim", async () => {
  const topic = await filled((await openEngine()).topic("orders"), 10);
  const reading = topic.read();
  await topic.trim({ partition: 0, before: 6 });
  assert.deepEqual(await texts(reading), numbers(6, 10));
  await assert.rejects(texts(topic.read({ from: { offset: 5 } })), (error) =>
    hasCode(error, "OFFSET_OUT_OF_RANGE"),
  );
  await assert.rejects(topic.trim({ partition: 0, before: 11 }), (error) =>
    hasCode(error, "OFFSET_OUT_OF_RANGE"),
  );
  const { partitions } = await topic.describe();
  assert.deepEqual(partitions, [
    { partition: 0, logStartOffset: 6, lastStableOffset: 10, highWatermark: 10 },
  ]);
});

test("what was read can be appended as it is", async () => {
  const engine = await openEngine();
  const source = engine.topic("source");
  await source.append({ key: "k", value: "v", headers: { a: "1" }, timestampMs: 77 });
  const copy = engine.topic("copy");
  for await (const record of source.read()) await copy.append(record);
  const [record] = await collect(copy.read());
  assert.deepEqual([record?.timestampMs, record?.text(), record?.headers.length], [77, "v", 1]);
});

test("a waiting reading is told when the topic is deleted, and when the engine closes", async () => {
  const engine = await openEngine();
  const topic = await filled(engine.topic("orders"), 1);
  const deleted = texts(topic.read({ follow: true }));
  const rejected = assert.rejects(deleted, (error) => hasCode(error, "TOPIC_NOT_FOUND"));
  await topic.append({ value: "x" });
  await engine.deleteTopic("orders");
  await rejected;

  const other = await filled(engine.topic("others"), 1);
  const closed = assert.rejects(texts(other.read({ follow: true })), (error) =>
    hasCode(error, "ENGINE_CLOSED"),
  );
  await other.append({ value: "x" });
  await engine.close();
  await closed;
});
