import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "vitest";
import { CATALOGUE_ROWS } from "@karst/core";
import { memoryObjectStore, MemoryBucket } from "@karst/objectstore";
import { randomId } from "@karst/runtime";
import { simulatedRuntime } from "@karst/runtime/testing";
import { openCatalogue } from "../../src/catalogue/open-catalogue.ts";
import { type Change, commitChange } from "../../src/topics/commit-change.ts";
import { creation, deletion } from "../../src/topics/topic-changes.ts";
import { TopicIndex } from "../../src/topics/topic-index.ts";
import { batchOf, contents } from "../partition/batches.ts";
import { World } from "../partition/world.ts";

let world: World;

beforeEach(async () => {
  world = await new World({ limits: { partitionsPerTopicMax: 50, topicsMax: 4 } }).open();
});

afterEach(() => world.close());

test("a created topic is there, by name, by id and in order", async () => {
  const b = await world.topics.create({
    name: "b",
    partitions: 3,
    configs: { "retention.ms": "5" },
  });
  const a = await world.topics.create({ name: "a", partitions: 1 });
  assert.match(b.topicId, /^[0-9a-f]{32}$/);
  assert.deepEqual(b, {
    topicId: b.topicId,
    name: "b",
    partitions: 3,
    configs: { "retention.ms": "5" },
    createdMs: world.runtime.clock.wallMs(),
  });
  assert.deepEqual(world.topics.list(), [a, b]);
  assert.deepEqual(world.topics.byName("b"), b);
  assert.deepEqual(world.topics.byId(a.topicId), a);
  assert.equal(world.topics.byName("c"), undefined);
  assert.equal(world.topics.byId("0".repeat(32)), undefined);
  await world.crash();
  assert.deepEqual(world.topics.list(), [a, b]);
});

test("what cannot be created is refused, by validate as by create, and nothing is left", async () => {
  await world.topics.create({ name: "a.b", partitions: 1 });
  const cases = [
    [{ name: "a.b", partitions: 1 }, "TOPIC_EXISTS"],
    [{ name: "a_b", partitions: 1 }, "INVALID_TOPIC_NAME"],
    [{ name: "a b", partitions: 1 }, "INVALID_TOPIC_NAME"],
    [{ name: "c", partitions: 0 }, "INVALID_PARTITIONS"],
    [{ name: "c", partitions: 51 }, "INVALID_PARTITIONS"],
    [{ name: "c", partitions: 1.5 }, "INVALID_PARTITIONS"],
    [{ name: "c", partitions: 1, configs: { nonsense: "1" } }, "INVALID_CONFIG"],
  ] as const;
  const { revision } = world.engine.catalogue;
  for (const [options, code] of cases) {
    assert.throws(() => world.topics.validate(options), { code });
    await assert.rejects(world.topics.create(options), { code });
  }
  assert.equal(world.engine.catalogue.revision, revision);
  assert.equal(world.topics.list().length, 1);
});

test("there is a limit of topics", async () => {
  for (let i = 0; i < 4; i += 1) await world.topics.create({ name: `t${i}`, partitions: 1 });
  await assert.rejects(world.topics.create({ name: "t4", partitions: 1 }), {
    code: "TOO_MANY_TOPICS",
  });
});

test("of many creations of one name one wins", async () => {
  const outcomes = await Promise.allSettled(
    ["x.y", "x_y", "x.y", "x.y"].map((name) => world.topics.create({ name, partitions: 2 })),
  );
  assert.equal(outcomes.filter((outcome) => outcome.status === "fulfilled").length, 1);
  assert.equal(world.topics.list().length, 1);
});

test("what others have done meanwhile is no reason to refuse", async () => {
  const bucket = new MemoryBucket();
  const here = await new World({ bucket, limits: { topicsMax: 2 } }).open();
  const other = await openCatalogue({
    objectStore: memoryObjectStore({ bucket }),
    runtime: simulatedRuntime({ seed: 2, autoDefer: true }),
    create: false,
  });
  const { random } = here.runtime;
  const index = new TopicIndex(other);
  const create = async (name: string): Promise<string> => {
    const topicId = randomId(random);
    const plan = (): Change => creation(other, topicId, { name, partitions: 1 }, 0);
    await commitChange(other, random, plan);
    return topicId;
  };
  const remove = (topicId: string): Promise<unknown> =>
    commitChange(other, random, () => {
      const topic = index.byId(topicId);
      return topic && deletion(other, topic);
    });

  const a = await create("a");
  assert.equal(here.topics.byId(a), undefined);
  assert.equal((await here.topics.partition(a, 0)).logEndOffset, 0);
  await here.topics.delete(await create("b"));

  const c = await create("c");
  await assert.rejects(here.topics.create({ name: "d", partitions: 1 }), {
    code: "TOO_MANY_TOPICS",
  });
  await remove(c);
  assert.throws(() => here.topics.validate({ name: "c", partitions: 1 }), { code: "TOPIC_EXISTS" });
  assert.notEqual((await here.topics.create({ name: "c", partitions: 1 })).topicId, c);
  await here.close();
});

test("each partition has a stream of its own, and numbers are never given twice", async () => {
  const a = await world.topics.create({ name: "a", partitions: 2 });
  await world.topics.delete(a.topicId);
  const b = await world.topics.create({ name: "a", partitions: 2 });
  assert.notEqual(b.topicId, a.topicId);
  const row = CATALOGUE_ROWS.topic.get(world.engine.catalogue, b.topicId);
  assert.deepEqual(row?.value.partitions, [2, 3]);
  assert.equal(CATALOGUE_ROWS.streamOwner.get(world.engine.catalogue, 0), undefined);
  assert.equal(CATALOGUE_ROWS.streamStart.get(world.engine.catalogue, 0), undefined);
  assert.equal(CATALOGUE_ROWS.streamEnd.get(world.engine.catalogue, 1), undefined);
  assert.equal(CATALOGUE_ROWS.streamStart.get(world.engine.catalogue, 3)?.value.offset, 0);
});

test("partitions are open once, and do not mix", async () => {
  const { topicId } = await world.topics.create({ name: "a", partitions: 2 });
  assert.equal(world.topics.openPartition(topicId, 0), undefined);
  const [first, again, other] = await Promise.all([
    world.topics.partition(topicId, 0),
    world.topics.partition(topicId, 0),
    world.topics.partition(topicId, 1),
  ]);
  assert.equal(first, again);
  assert.equal(world.topics.openPartition(topicId, 0), first);
  assert.deepEqual([first.topicId, first.partition, other.partition], [topicId, 0, 1]);
  await first.append(batchOf(["zero"])).durable;
  await other.append(batchOf(["one"])).durable;
  assert.deepEqual(await contents(first), ["0:zero"]);
  assert.deepEqual(await contents(other), ["0:one"]);
});

test("partitions that do not exist", async () => {
  const { topicId } = await world.topics.create({ name: "a", partitions: 2 });
  for (const index of [2, -1, 0.5]) {
    await assert.rejects(world.topics.partition(topicId, index), {
      kind: "not_found",
      code: "PARTITION_NOT_FOUND",
    });
  }
  await assert.rejects(world.topics.partition("0".repeat(32), 0), {
    kind: "not_found",
    code: "TOPIC_NOT_FOUND",
  });
});

test("a deleted topic is gone, its partitions end, its name is free", async () => {
  const { topicId } = await world.topics.create({ name: "a", partitions: 1 });
  const log = await world.topics.partition(topicId, 0);
  const append = log.append(batchOf(["old"]));
  let heard = 0;
  log.onAdvance(() => {
    if (log.closed) heard += 1;
  });
  await world.topics.delete(topicId);
  await append.durable;
  assert.equal(log.closed, true);
  assert.ok(heard > 0);
  assert.throws(() => log.append(batchOf(["x"])), { code: "PARTITION_CLOSED" });
  assert.deepEqual(world.topics.list(), []);
  await assert.rejects(world.topics.delete(topicId), { code: "TOPIC_NOT_FOUND" });
  await assert.rejects(world.topics.partition(topicId, 0), { code: "TOPIC_NOT_FOUND" });
  const again = await world.partition("a");
  assert.equal(again.logEndOffset, 0);
  await again.append(batchOf(["new"])).durable;
  await world.engine.upload();
  await world.crash();
  assert.deepEqual(await contents(await world.reopened("a")), ["0:new"]);
});

test("a partition that is being opened while its topic is deleted does not stay open", async () => {
  const { topicId } = await world.topics.create({ name: "a", partitions: 1 });
  const opening = world.topics.partition(topicId, 0);
  const outcome = opening.then(
    (log) => log,
    (error: unknown) => error,
  );
  await world.topics.delete(topicId);
  const ended = await outcome;
  assert.ok(ended instanceof Error || (ended as { closed: boolean }).closed);
  assert.equal(world.topics.openPartition(topicId, 0), undefined);
});

test("a partition that was closed is opened anew, with all that it had", async () => {
  const { topicId } = await world.topics.create({ name: "a", partitions: 1 });
  const log = await world.topics.partition(topicId, 0);
  await log.append(batchOf(["zero"])).durable;
  const closing = log.close();
  const again = await world.topics.partition(topicId, 0);
  await closing;
  assert.notEqual(again, log);
  assert.throws(() => log.append(batchOf(["x"])), { code: "PARTITION_CLOSED" });
  await again.append(batchOf(["one"])).durable;
  assert.deepEqual(await contents(again), ["0:zero", "1:one"]);
  assert.equal(await world.topics.partition(topicId, 0), again);
});

test("after close nothing is opened", async () => {
  const { topicId } = await world.topics.create({ name: "a", partitions: 1 });
  const log = await world.topics.partition(topicId, 0);
  await world.topics.close();
  assert.equal(log.closed, true);
  await assert.rejects(world.topics.partition(topicId, 0), {
    kind: "closed",
    code: "TOPICS_CLOSED",
  });
});

test("producer ids are given once, also across restarts", async () => {
  const ids = await Promise.all(Array.from({ length: 1500 }, () => world.topics.nextProducerId()));
  const block = await world.topics.allocateProducerIds();
  ids.push(...Array.from({ length: block.count }, (_, i) => block.first + i));
  await world.crash();
  for (let i = 0; i < 10; i += 1) ids.push(await world.topics.nextProducerId());
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(ids.every((id) => Number.isSafeInteger(id) && id >= 0));
});
