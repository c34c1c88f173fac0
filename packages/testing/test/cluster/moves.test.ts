// One thing at a time between two nodes that are open at once; the family mixes them.
import assert from "node:assert/strict";
import { test } from "vitest";
import { append } from "../../src/cluster/appending.ts";
import { Cluster } from "../../src/cluster/cluster.ts";
import type { ClusterLog } from "../../src/cluster/cluster-log.ts";
import { finish } from "../../src/cluster/finish.ts";
import type { Node } from "../../src/cluster/node.ts";
import { closeNode, muster } from "../../src/cluster/node-steps.ts";
import { findFirst } from "../../src/cluster/reading.ts";
import { create } from "../../src/cluster/topic-steps.ts";

interface Pair {
  readonly cluster: Cluster;
  readonly log: ClusterLog;
  /** Has the log. */
  readonly first: Node;
  /** Has an image in which the first one has it. */
  readonly second: Node;
}

async function pair(): Promise<Pair> {
  const cluster = new Cluster({ seed: 1, machines: 2, store: "memory", tempo: "instant" });
  await cluster.begin();
  await muster(cluster);
  await create(0, "a", 1)(cluster);
  const [first, second] = cluster.nodes;
  const log = cluster.logOf("a", 0);
  assert.ok(first !== undefined && second !== undefined && log !== undefined);
  assert.ok((await cluster.take(log, first)) !== undefined);
  for (let i = 0; i < 4; i += 1) await put(cluster, first, log);
  await cluster.world.clock.runUntil(second.process.engine.catalogue.refresh());
  return { cluster, log, first, second };
}

async function put(cluster: Cluster, node: Node, log: ClusterLog): Promise<void> {
  const id = `n${cluster.nextSerial()}`;
  const timestampMs = cluster.world.clock.wallMs();
  const sent = append(cluster, node, log, { id, count: 1, bytes: 200, gap: 0, timestampMs });
  assert.ok(sent !== undefined);
  await cluster.world.until(node.process.life, sent.taken.durable);
  await cluster.world.clock.advance(10);
}

test("while its node is open a stream is nobody else's", async () => {
  const { cluster, log, first, second } = await pair();
  assert.equal(await cluster.take(log, second), undefined);
  assert.equal(cluster.world.sometimes.of("taking-refused"), 1);
  cluster.world.machines[first.machine]?.crash("power");
  assert.equal(await cluster.take(log, second), undefined, "a crashed node's stream was taken");
  assert.equal(cluster.world.sometimes.of("taking-refused"), 2);
  const again = await cluster.bringUp(first.machine);
  assert.ok(again !== undefined && (await cluster.take(log, again)) !== undefined);
  await finish(cluster);
});

test("a stream is free as soon as its node is closed, also for one whose image is older", async () => {
  const { cluster, log, first, second } = await pair();
  assert.ok(await closeNode(cluster, first));
  assert.ok((await cluster.take(log, second)) !== undefined);
  await put(cluster, second, log);
  await finish(cluster);
});

test("a time is found in what another node has published since this one was opened", async () => {
  const { cluster, log, first, second } = await pair();
  assert.ok(await closeNode(cluster, first));
  await cluster.world.clock.runUntil(second.process.engine.catalogue.refresh());
  const taken = await cluster.world.until(second.process.life, second.take(log));
  assert.equal(taken.tag, "ok");
  for (const where of [0, 0.5, 0.9]) await findFirst(cluster, log, second, where);
  assert.equal(cluster.world.sometimes.of("time-found-first"), 3);
});

test("nodes that were open together, and all crashed, all come back", async () => {
  const { cluster, log, first, second } = await pair();
  for (const { machine } of [first, second]) cluster.world.machines[machine]?.crash("power");
  for (const machine of [first.machine, second.machine])
    assert.ok((await cluster.bringUp(machine)) !== undefined);
  assert.ok(log.holder !== first, "its log was not taken again");
  await finish(cluster);
});

test("of nodes that make one topic at once one makes it, and a topic made again is another", async () => {
  const { cluster, log } = await pair();
  const [node] = cluster.nodes;
  assert.ok(node !== undefined);
  const { topics } = node.process;
  log.topic.state = "deleting";
  await cluster.world.clock.runUntil(topics.delete(log.topic.topicId));
  await cluster.audit();
  assert.equal(log.topic.state, "deleted");
  const creations = cluster.nodes.map(({ process }) =>
    process.topics.create({ name: "b", partitions: 2 }).then(
      ({ topicId }) => topicId,
      () => undefined,
    ),
  );
  const made = (await cluster.world.clock.runUntil(Promise.all(creations))).filter(
    (topicId) => topicId !== undefined,
  );
  assert.equal(made.length, 1);
  await create(1, "a", 1)(cluster);
  const again = cluster.logOf("a", 0);
  assert.ok(again !== undefined && again.topic.topicId !== log.topic.topicId);
  const holder = await cluster.holderOf(again, 1);
  assert.equal(holder?.log(again).logEndOffset, 0);
  await finish(cluster);
});
