import assert from "node:assert/strict";
import { hasCode, type Positions } from "karst";
import { test } from "vitest";
import { collect, openEngine } from "../world.ts";

test("a session knows where it is and how far behind", async () => {
  const topic = (await openEngine()).topic("orders", { partitions: 2 });
  for (let i = 0; i < 6; i += 1) await topic.append({ value: String(i) }, { partition: i % 2 });
  const session = topic.readSession();
  assert.equal(session.positions, undefined);
  const first = await session.nextBatch();
  assert.equal(first?.length, 3);
  assert.deepEqual(session.positions, { offsets: { 0: 3, 1: 0 } });
  assert.deepEqual(session.tail, { offsets: { 0: 3, 1: 3 } });
  const rest = await collect(session);
  assert.equal(rest.length, 3);
  assert.deepEqual(session.positions, session.tail);
  assert.equal(await session.nextBatch(), undefined);
  await session.close();
});

test("batches and records of one session do not overlap", async () => {
  const topic = (await openEngine()).topic("orders");
  for (let batch = 0; batch < 5; batch += 1) {
    await topic.append(Array.from({ length: 10 }, (_, i) => ({ value: String(batch * 10 + i) })));
  }
  const session = topic.readSession();
  const iterator = session[Symbol.asyncIterator]();
  const seen: string[] = [];
  for (let i = 0; i < 3; i += 1) {
    const step = await iterator.next();
    if (step.done !== true) seen.push(step.value.text());
  }
  assert.deepEqual(session.positions, { offsets: { 0: 3 } });
  for (
    let batch = await session.nextBatch();
    batch !== undefined;
    batch = await session.nextBatch()
  ) {
    seen.push(...batch.map((record) => record.text()));
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 50 }, (_, i) => String(i)),
  );
});

test("positions of a session that was left resume it", async () => {
  const topic = (await openEngine()).topic("orders", { partitions: 3 });
  for (let i = 0; i < 30; i += 1) await topic.append({ value: String(i) }, { partition: i % 3 });
  const seen: string[] = [];
  let from: Positions | "earliest" = "earliest";
  while (seen.length < 30) {
    const session = topic.readSession({ from });
    seen.push(...(await collect(session, 7)).map((record) => record.text()));
    from = session.positions ?? from;
  }
  assert.deepEqual(
    seen.sort((a, b) => Number(a) - Number(b)),
    Array.from({ length: 30 }, (_, i) => String(i)),
  );
});

test("closing ends a pending step, and everything after it", async () => {
  const topic = (await openEngine()).topic("orders");
  await topic.append({ value: "a" });
  const session = topic.readSession({ from: "latest", follow: true });
  const pending = session.nextBatch();
  await session.close();
  assert.equal(await pending, undefined);
  await topic.append({ value: "b" });
  assert.equal(await session.nextBatch(), undefined);
  await session[Symbol.asyncDispose]();
});

test("a step that failed can be tried again", async () => {
  const engine = await openEngine();
  const topic = engine.topic("orders", { autoCreate: false });
  const session = topic.readSession();
  await assert.rejects(session.nextBatch(), (error) => hasCode(error, "TOPIC_NOT_FOUND"));
  await engine.createTopic("orders");
  await topic.append({ value: "a" });
  // What fails is tried again at once, so that this is told what was there at the failure.
  await session.nextBatch().catch((error: unknown) => assert.ok(hasCode(error, "TOPIC_NOT_FOUND")));
  assert.equal((await session.nextBatch())?.length, 1);
});
