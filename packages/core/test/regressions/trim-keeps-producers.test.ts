// A trim forgets records, not who sent them: what a producer sends again afterwards is a duplicate still.
// Found by the model test, seed 0: append, trim, crash.
import assert from "node:assert/strict";
import { noFaults } from "@karst/objectstore";
import {
  type Engine,
  objectRow,
  openTopics,
  type PartitionAppend,
  type PartitionLog,
  type Topics,
} from "@karst/core";
import { beforeEach, test } from "vitest";
import { World } from "../engine/world.ts";
import { batchOf } from "../partition/batches.ts";

let world: World;
let engine: Engine;
let topics: Topics;

beforeEach(async () => {
  world = new World();
  await open();
  await topics.create({ name: "t", partitions: 2 });
});

async function open(): Promise<void> {
  engine = await world.open();
  topics = await openTopics(engine);
}

async function crash(): Promise<void> {
  world.runtime.disk.crash();
  await engine.abandon();
  await open();
}

async function partition(index = 0): Promise<PartitionLog> {
  const topic = topics.byName("t");
  assert.ok(topic !== undefined);
  return topics.partition(topic.topicId, index);
}

/** The producer's batch of this number; two records each. */
function send(log: PartitionLog, number: number, id = 7): PartitionAppend {
  const producer = { id, epoch: 0, baseSequence: 2 * number };
  return log.append(batchOf([`${id}:${number}a`, `${id}:${number}b`], { producer }));
}

function assertDuplicate(append: PartitionAppend, baseOffset: number): void {
  assert.deepEqual([append.duplicate, append.baseOffset], [true, baseOffset]);
}

test("trimmed before it was uploaded", async () => {
  let log = await partition();
  for (let n = 0; n < 3; n += 1) await send(log, n).durable;
  await log.trim(6);
  for (let crashes = 0; crashes < 3; crashes += 1) {
    await crash();
    log = await partition();
    assert.deepEqual([log.logStartOffset, log.logEndOffset], [6, 6]);
    for (let n = 0; n < 3; n += 1) assertDuplicate(send(log, n), 2 * n);
  }
});

test("trimmed before it was uploaded, by an engine in which nobody had it open", async () => {
  let log = await partition();
  for (let n = 0; n < 3; n += 1) await send(log, n).durable;
  await log.trim(6);
  await crash();
  await engine.upload();
  for (let crashes = 0; crashes < 2; crashes += 1) {
    await crash();
    log = await partition();
    for (let n = 0; n < 3; n += 1) assertDuplicate(send(log, n), 2 * n);
  }
});

test("trimmed after it was uploaded while nobody had it open", async () => {
  let log = await partition();
  for (let n = 0; n < 3; n += 1) await send(log, n).durable;
  await crash();
  await engine.upload();
  log = await partition();
  await log.trim(6);
  await crash();
  log = await partition();
  for (let n = 0; n < 3; n += 1) assertDuplicate(send(log, n), 2 * n);
});

test("trimmed after it was uploaded while nobody had it open, beside one that goes on", async () => {
  let log = await partition(0);
  let other = await partition(1);
  await send(log, 0).durable;
  await engine.upload();
  for (let n = 1; n < 4; n += 1) await send(log, n).durable;
  for (let n = 0; n < 3; n += 1) await send(other, n, 8).durable;
  await crash();
  // One object for both.
  await engine.upload();
  log = await partition(0);
  other = await partition(1);
  await log.trim(8);
  await send(other, 3, 8).durable;
  await engine.upload();
  await other.trim(8);
  await crash();
  log = await partition(0);
  other = await partition(1);
  for (let n = 0; n < 4; n += 1) {
    assertDuplicate(send(log, n), 2 * n);
    assertDuplicate(send(other, n, 8), 2 * n);
  }
});

test("what is kept for the state alone goes with the next state block and trim", async () => {
  let log = await partition();
  for (let n = 0; n < 3; n += 1) await send(log, n).durable;
  await crash();
  await engine.upload();
  log = await partition();
  await log.trim(6);
  await send(log, 3).durable;
  await engine.upload();
  await log.trim(8);
  await send(log, 4).durable;
  await engine.upload();
  await log.trim(10);
  const objects = [...objectRow.scan(engine.catalogue)].length;
  assert.equal(objects, 1, "the state block's object, and no other");
  await crash();
  log = await partition();
  for (let n = 0; n < 5; n += 1) assertDuplicate(send(log, n), 2 * n);
});

test("an answer that the state block's object is gone is not believed at once", async () => {
  let log = await partition();
  for (let n = 0; n < 3; n += 1) await send(log, n).durable;
  await log.trim(6);
  // The batches are not in the object, what they did is.
  await engine.upload();
  await crash();
  let lies = 1;
  world.store.setPlan(({ method, key }) => {
    if (method !== "get" || !key.startsWith(objectRow.prefix) || lies === 0) return undefined;
    lies -= 1;
    return { tag: "not-found" };
  });
  log = await partition();
  assert.equal(lies, 0);
  for (let n = 0; n < 3; n += 1) assertDuplicate(send(log, n), 2 * n);
});

// Found by family `steady`, seed 1001721: a producer's batches were forgotten after two wrong answers, each about another block.
test("where batches are trimmed, a state block that cannot be read is not done without", async () => {
  let log = await partition();
  for (let n = 0; n < 3; n += 1) await send(log, n).durable;
  await log.trim(4);
  await engine.upload();
  await crash();
  world.store.setPlan(({ method, key }) =>
    method === "get" && key.startsWith(objectRow.prefix) ? { tag: "not-found" } : undefined,
  );
  await assert.rejects(partition(), { code: "OBJECT_MISSING", kind: "corrupt" });
  world.store.setPlan(noFaults);
  log = await partition();
  for (let n = 0; n < 3; n += 1) assertDuplicate(send(log, n), 2 * n);
});
