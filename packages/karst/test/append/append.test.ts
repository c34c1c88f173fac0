import assert from "node:assert/strict";
import { partitionForKey } from "@karst/records";
import { hasCode, type Engine } from "karst";
import { test } from "vitest";
import { openParts } from "../../src/open-parts.ts";
import { EngineHandle } from "../../src/engine-handle.ts";
import { collect, openEngine, texts } from "../world.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("a record comes back as it was appended", async () => {
  const topic = (await openEngine()).topic("orders");
  const appended = await topic.append({
    key: "42",
    value: "hello",
    headers: { trace: "abc", empty: null },
    timestampMs: 1_700_000_000_123,
  });
  assert.deepEqual(appended, {
    topic: "orders",
    partition: 0,
    offset: 0,
    endOffset: 1,
    timestampMs: 1_700_000_000_123,
  });
  const [record] = await collect(topic.read());
  assert.equal(record?.offset, 0);
  assert.equal(record.timestampMs, 1_700_000_000_123);
  assert.deepEqual(record.key, bytes("42"));
  assert.deepEqual(record.value, bytes("hello"));
  assert.deepEqual(record.headers, [
    { key: "trace", value: bytes("abc") },
    { key: "empty", value: null },
  ]);
});

test("a compacted topic takes no record without a key, compressed or not", async () => {
  const engine = await openEngine();
  for (const compression of [undefined, "gzip", "snappy", "lz4", "zstd"] as const) {
    const configs = { "cleanup.policy": "compact" };
    const topic = engine.topic(`compacted-${compression}`, { configs, compression });
    const value = "v".repeat(200);
    const outcomes = await Promise.allSettled([
      topic.append({ key: "a", value }),
      topic.append({ value }),
      topic.append([{ key: "b", value }, { value }]),
      topic.append({ key: "c", value }),
    ]);
    assert.deepEqual(
      outcomes.map(
        (outcome) => outcome.status === "rejected" && hasCode(outcome.reason, "INVALID_RECORD"),
      ),
      [false, true, true, false],
    );
    await assert.rejects(topic.append({ value }, { ifOffset: 2 }), { code: "INVALID_RECORD" });
    const keys = (await collect(topic.read())).map(({ key }) => key);
    assert.deepEqual(keys, [bytes("a"), bytes("c")]);
  }
});

test("null and empty keys and values are told apart, and repeated headers are kept", async () => {
  const topic = (await openEngine()).topic("orders");
  await topic.append([
    { value: null },
    { key: "", value: "" },
    {
      key: new Uint8Array([0, 255]),
      value: new Uint8Array([255]),
      headers: [
        { key: "a", value: "1" },
        { key: "a", value: "2" },
      ],
    },
  ]);
  const records = await collect(topic.read());
  assert.deepEqual(
    records.map(({ key, value }) => ({ key, value })),
    [
      { key: null, value: null },
      { key: new Uint8Array(), value: new Uint8Array() },
      { key: new Uint8Array([0, 255]), value: new Uint8Array([255]) },
    ],
  );
  assert.deepEqual(
    records[2]?.headers.map(({ value }) => value),
    [bytes("1"), bytes("2")],
  );
});

test("many records are one range of one partition", async () => {
  const topic = (await openEngine()).topic("orders", { partitions: 4 });
  const appended = await topic.append([
    { value: "a", timestampMs: 5 },
    { value: "b", timestampMs: 9 },
    { value: "c", timestampMs: 7 },
  ]);
  assert.equal(appended.endOffset - appended.offset, 3);
  assert.equal(appended.timestampMs, 9);
  const records = await collect(topic.read());
  assert.deepEqual(
    records.map((record) => [record.partition, record.offset, record.text()]),
    [
      [appended.partition, 0, "a"],
      [appended.partition, 1, "b"],
      [appended.partition, 2, "c"],
    ],
  );
});

test("keys choose partitions as Kafka's clients do", async () => {
  const topic = (await openEngine()).topic("orders", { partitions: 7 });
  for (let i = 0; i < 50; i += 1) {
    const { partition } = await topic.append({ key: `key-${i}`, value: "" });
    assert.equal(partition, partitionForKey(bytes(`key-${i}`), 7));
  }
});

test("one batch with keys of different partitions is refused, unless the partition is named", async () => {
  const topic = (await openEngine()).topic("orders", { partitions: 7 });
  const records = Array.from({ length: 20 }, (_, i) => ({ key: `key-${i}`, value: String(i) }));
  await assert.rejects(topic.append(records), (error) => hasCode(error, "KEYS_DISAGREE"));
  assert.deepEqual(await texts(topic.read()), []);
  const { partition } = await topic.append(records, { partition: 3 });
  assert.equal(partition, 3);
});

test("records without keys stay in a partition for a while and then move", async () => {
  const topic = (await openEngine()).topic("orders", { partitions: 3 });
  const partitions: number[] = [];
  for (let i = 0; i < 30; i += 1) {
    partitions.push((await topic.append({ value: "x".repeat(2_000) })).partition);
  }
  const moves = partitions.filter((partition, i) => i > 0 && partition !== partitions[i - 1]);
  assert.ok(moves.length >= 3 && moves.length <= 5, `moved ${moves.length} times`);
});

test("appends keep the order of the calls, also while the topic is being made", async () => {
  const topic = (await openEngine()).topic("orders");
  const appended = await Promise.all(
    Array.from({ length: 500 }, (_, i) => topic.append({ value: String(i) })),
  );
  assert.deepEqual(
    appended.map(({ offset }) => offset),
    Array.from({ length: 500 }, (_, i) => i),
  );
  assert.deepEqual(
    await texts(topic.read()),
    Array.from({ length: 500 }, (_, i) => String(i)),
  );
});

test("appends of one turn share batches", async () => {
  const parts = await openParts({ root: "memory:" });
  const engine: Engine = new EngineHandle(parts);
  const topic = engine.topic("orders");
  await topic.append({ value: "first" });
  await Promise.all(Array.from({ length: 100 }, (_, i) => topic.append({ value: String(i) })));
  const log = await parts.topics.partition(parts.topics.byName("orders")?.topicId ?? "", 0);
  const read = await log.read({ from: 0, bytesMax: 1 << 20, isolation: "read_uncommitted" });
  assert.deepEqual(
    read.batches.map(({ baseOffset, endOffset }) => [baseOffset, endOffset]),
    [
      [0, 1],
      [1, 101],
    ],
  );
  read.release();
  await engine.close();
});

test("a buffer may be used again at once", async () => {
  const topic = (await openEngine()).topic("orders");
  const buffer = new Uint8Array([1, 2, 3]);
  const appended = topic.append({ key: buffer, value: buffer });
  buffer.fill(9);
  await appended;
  const [record] = await collect(topic.read());
  assert.deepEqual(record?.value, new Uint8Array([1, 2, 3]));
  assert.deepEqual(record.key, new Uint8Array([1, 2, 3]));
});

test("ifOffset appends only at that offset", async () => {
  const topic = (await openEngine()).topic("orders");
  assert.equal((await topic.append({ value: "a" }, { ifOffset: 0 })).offset, 0);
  const [second, third, late] = await Promise.allSettled([
    topic.append({ value: "b" }, { ifOffset: 1 }),
    topic.append({ value: "c" }, { ifOffset: 2 }),
    topic.append({ value: "d" }, { ifOffset: 2 }),
  ]);
  assert.deepEqual(
    [second?.status, third?.status, late?.status],
    ["fulfilled", "fulfilled", "rejected"],
  );
  assert.ok(late?.status === "rejected" && hasCode(late.reason, "OFFSET_CONDITION_FAILED"));
  assert.deepEqual(await texts(topic.read()), ["a", "b", "c"]);
});

test("what is wrong with a record is said, and nothing is appended", async () => {
  const topic = (await openEngine()).topic("orders");
  await topic.append({ value: "a" });
  const wrong: readonly (readonly [unknown, string])[] = [
    [[], "INVALID_APPEND"],
    [undefined, "INVALID_APPEND"],
    ["hello", "INVALID_APPEND"],
    [{ key: "a" }, "INVALID_APPEND"],
    [{ value: 42 }, "INVALID_APPEND"],
    [{ value: "a", timestampMs: 1.5 }, "INVALID_APPEND"],
    [{ value: "a", timestampMs: -2 }, "INVALID_APPEND"],
    [{ value: "a", headers: { a: 1 } }, "INVALID_APPEND"],
    [{ value: "a", headers: [{ key: 1, value: "a" }] }, "INVALID_APPEND"],
    [[{ value: "a" }, { value: undefined }], "INVALID_APPEND"],
    [{ value: "x".repeat(2_000_000) }, "BATCH_TOO_LARGE"],
  ];
  for (const [records, code] of wrong) {
    await assert.rejects(
      topic.append(records as never),
      (error) => hasCode(error, code) && error.kind === "invalid",
      JSON.stringify(records)?.slice(0, 100),
    );
  }
  for (const options of [{ partition: -1 }, { partition: 1.5 }, { ifOffset: -1 }]) {
    await assert.rejects(topic.append({ value: "a" }, options), (error) =>
      hasCode(error, "INVALID_APPEND"),
    );
  }
  await assert.rejects(topic.append({ value: "a" }, { partition: 1 }), (error) =>
    hasCode(error, "PARTITION_NOT_FOUND"),
  );
  assert.deepEqual(await texts(topic.read()), ["a"]);
});

test("an oversize record fails alone among those that share its turn", async () => {
  const topic = (await openEngine()).topic("orders", { configs: { "max.message.bytes": "2000" } });
  await topic.append({ value: "first" });
  const results = await Promise.allSettled([
    topic.append({ value: "a" }),
    topic.append({ value: "x".repeat(3_000) }),
    topic.append({ value: "b" }),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  assert.deepEqual(await texts(topic.read()), ["first", "a", "b"]);
});

test("autoCreate: false makes no topic", async () => {
  const engine = await openEngine();
  const topic = engine.topic("orders", { autoCreate: false });
  await assert.rejects(topic.append({ value: "a" }), (error) => hasCode(error, "TOPIC_NOT_FOUND"));
  assert.deepEqual(engine.listTopics(), []);
  await engine.createTopic("orders");
  assert.equal((await topic.append({ value: "a" })).offset, 0);
});

test("two handles that make the same topic at the same time both append", async () => {
  const engine = await openEngine();
  const appended = await Promise.all(
    Array.from({ length: 10 }, (_, i) => engine.topic("orders").append({ value: String(i) })),
  );
  assert.deepEqual(
    appended.map(({ offset }) => offset).sort((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
});

test("a handle finds a topic that was deleted and made again", async () => {
  const engine = await openEngine();
  const topic = engine.topic("orders");
  await topic.append({ value: "old" });
  await engine.deleteTopic("orders");
  assert.equal((await topic.append({ value: "new" })).offset, 0);
  assert.deepEqual(await texts(topic.read()), ["new"]);
});

test("an aborted append rejects with the reason, and what was not handed to the log is not appended", async () => {
  const topic = (await openEngine()).topic("orders");
  await topic.append({ value: "first" });
  const reason = new Error("enough");
  await assert.rejects(topic.append({ value: "a" }, { signal: AbortSignal.abort(reason) }), reason);
  const controller = new AbortController();
  const waiting = topic.append({ value: "b" }, { signal: controller.signal });
  const neighbour = topic.append({ value: "c" });
  controller.abort(reason);
  await assert.rejects(waiting, reason);
  assert.equal((await neighbour).offset, 1);
  assert.deepEqual(await texts(topic.read()), ["first", "c"]);
});

test("close settles the appends before it and refuses those after it", async () => {
  const engine = await openEngine();
  const topic = engine.topic("orders");
  const before = Promise.all([topic.append({ value: "a" }), topic.append({ value: "b" })]);
  const closing = engine.close();
  await assert.rejects(topic.append({ value: "c" }), (error) => hasCode(error, "ENGINE_CLOSED"));
  await closing;
  assert.deepEqual(
    (await before).map(({ offset }) => offset),
    [0, 1],
  );
  await engine.close();
  assert.throws(
    () => engine.listTopics(),
    (error) => hasCode(error, "ENGINE_CLOSED"),
  );
});
