import assert from "node:assert/strict";
import { faultyObjectStore, memoryObjectStore, noFaults } from "@karst/objectstore";
import { MemoryBudget, SlabPool } from "@karst/runtime";
import { nodeRuntime } from "@karst/runtime/node";
import { memoryWal } from "@karst/wal";
import { hasCode, open } from "karst";
import { onTestFinished, test } from "vitest";
import { openEngine, texts } from "../world.ts";

test("submissions arrive in order, and each ticket tells where", async () => {
  const topic = (await openEngine()).topic("orders");
  const session = topic.appendSession();
  const acks: Promise<number>[] = [];
  for (let i = 0; i < 1_000; i += 1) {
    const ticket = await session.submit({ value: String(i) });
    assert.equal(ticket.count, 1);
    acks.push(ticket.ack().then(({ offset }) => offset));
  }
  await session.close();
  assert.equal(session.pendingBytes, 0);
  const expected = Array.from({ length: 1_000 }, (_, i) => i);
  assert.deepEqual(await Promise.all(acks), expected);
  assert.deepEqual(await texts(topic.read()), expected.map(String));
});

test("submissions of many records, and of many partitions, keep the order of each partition", async () => {
  const topic = (await openEngine()).topic("orders", { partitions: 3 });
  const session = topic.appendSession();
  for (let i = 0; i < 90; i += 1) {
    await session.submit([{ value: `${i}a` }, { value: `${i}b` }], { partition: i % 3 });
  }
  await session.flush();
  for (const partition of [0, 1, 2]) {
    const expected = Array.from({ length: 30 }, (_, i) => i * 3 + partition).flatMap((i) => [
      `${i}a`,
      `${i}b`,
    ]);
    assert.deepEqual(await texts(topic.read({ partitions: [partition] })), expected);
  }
  await session.close();
});

test("submit waits for room, and one that is larger than the bound goes alone", async () => {
  const topic = (await openEngine()).topic("orders");
  const session = topic.appendSession({ bytesMax: 1_000 });
  const first = await session.submit({ value: "x".repeat(5_000) });
  assert.ok(session.pendingBytes > 5_000);
  let settled = false;
  const ack = first.ack().then(() => {
    settled = true;
  });
  await session.submit({ value: "y".repeat(900) });
  assert.ok(settled, "the second was accepted only when the first was durable");
  await ack;
  const submitted = Array.from({ length: 20 }, (_, i) =>
    session.submit({ value: `${i}`.repeat(300) }),
  );
  for (const ticket of submitted) {
    await ticket;
    assert.ok(session.pendingBytes <= 1_000);
  }
  await session.close();
  assert.equal((await texts(topic.read())).length, 22);
});

test("what is wrong with a record fails its submission alone, before it is accepted", async () => {
  const topic = (await openEngine()).topic("orders");
  const session = topic.appendSession();
  await session.submit({ value: "a" });
  await assert.rejects(session.submit({ value: 1 as never }), (error) =>
    hasCode(error, "INVALID_APPEND"),
  );
  await session.submit({ value: "b" });
  await session.close();
  assert.deepEqual(await texts(topic.read()), ["a", "b"]);
});

test("a refusal of the log fails the session: nothing behind it is appended", async () => {
  const topic = (await openEngine()).topic("orders", { configs: { "max.message.bytes": "2000" } });
  const session = topic.appendSession();
  const tickets = await Promise.all([
    session.submit({ value: "a" }),
    session.submit({ value: "b" }),
    session.submit({ value: "x".repeat(3_000) }),
    session.submit({ value: "c" }),
  ]);
  const results = await Promise.allSettled(tickets.map((ticket) => ticket.ack()));
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "fulfilled", "rejected", "rejected"],
  );
  const [, , large, behind] = results;
  assert.ok(large?.status === "rejected" && hasCode(large.reason, "BATCH_TOO_LARGE"));
  assert.ok(behind?.status === "rejected" && hasCode(behind.reason, "SESSION_FAILED"));
  for (const call of [session.submit({ value: "d" }), session.flush(), session.close()]) {
    await assert.rejects(call, (error) => hasCode(error, "SESSION_FAILED"));
  }
  assert.deepEqual(await texts(topic.read()), ["a", "b"]);
});

test("a condition that fails, fails the session", async () => {
  const topic = (await openEngine()).topic("orders");
  const session = topic.appendSession();
  const [first, second, third] = await Promise.all([
    session.submit({ value: "a" }, { ifOffset: 0 }),
    session.submit({ value: "b" }, { ifOffset: 5 }),
    session.submit({ value: "c" }),
  ]);
  assert.equal((await first.ack()).offset, 0);
  await assert.rejects(second.ack(), (error) => hasCode(error, "OFFSET_CONDITION_FAILED"));
  await third.ack().catch((error: unknown) => assert.ok(hasCode(error, "SESSION_FAILED")));
  await assert.rejects(session.close(), (error) => hasCode(error, "SESSION_FAILED"));
});

test("a closed session accepts no more; closing twice waits once", async () => {
  const topic = (await openEngine()).topic("orders");
  const session = topic.appendSession();
  await session.submit({ value: "a" });
  const closing = [session.close(), session[Symbol.asyncDispose]()];
  await assert.rejects(session.submit({ value: "b" }), (error) => hasCode(error, "SESSION_CLOSED"));
  await Promise.all(closing);
  assert.deepEqual(await texts(topic.read()), ["a"]);
});

test("aborting fails the session", async () => {
  const topic = (await openEngine()).topic("orders");
  const controller = new AbortController();
  const reason = new Error("enough");
  const session = topic.appendSession({ signal: controller.signal });
  await (await session.submit({ value: "a" })).ack();
  controller.abort(reason);
  await assert.rejects(
    session.submit({ value: "b" }),
    (error) => hasCode(error, "SESSION_FAILED") && error.cause === reason,
  );
  await assert.rejects(session.close(), (error) => hasCode(error, "SESSION_FAILED"));
});

test("while the object store is down a session waits, and goes on by itself when it is back", async () => {
  const runtime = nodeRuntime({
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
  });
  const store = faultyObjectStore(memoryObjectStore(), { random: runtime.random, plan: noFaults });
  const memory = new MemoryBudget(1 << 20);
  const slabs = new SlabPool({ budget: memory, slabBytes: 1 << 14 });
  const engine = await open({
    objectStore: store,
    wal: memoryWal({ runtime, slabs }),
    memory,
    runtime,
    limits: {
      memoryBudgetBytes: 1 << 20,
      slabBytes: 1 << 14,
      uploadBytes: 1 << 15,
      unuploadedBytesMax: 1 << 17,
    },
  });
  onTestFinished(() => engine.close());
  const topic = engine.topic("orders");
  await topic.append({ value: "first" });

  store.down();
  const value = "x".repeat(1_000);
  const refused: unknown[] = [];
  // Appends go on to the limit, then are refused.
  while (refused.length === 0) {
    await topic.append({ value }).catch((error: unknown) => refused.push(error));
  }
  assert.ok(
    hasCode(refused[0], "UPLOAD_BACKLOG_FULL", "MEMORY_BUDGET_EXCEEDED"),
    String(refused[0]),
  );
  const before = (await texts(topic.read())).length;

  const session = topic.appendSession();
  const tickets = await Promise.all(["a", "b", "c"].map((text) => session.submit({ value: text })));
  let acked = 0;
  const acks = tickets.map((ticket) => ticket.ack().then(() => (acked += 1)));
  await assert.rejects(topic.append({ value }));
  assert.equal(acked, 0);
  store.up();
  await Promise.all(acks);
  await session.close();
  assert.deepEqual((await texts(topic.read())).slice(before), ["a", "b", "c"]);
});

function ignore(): void {
  // Failures of the store are expected here.
}
