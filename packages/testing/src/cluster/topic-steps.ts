import assert from "node:assert/strict";
import type { Topic } from "@karst/core";
import { isKarstError } from "@karst/runtime";
import { tolerate, type Wait, wait } from "../world/wait.ts";
import { Clerk } from "./clerk.ts";
import type { Cluster } from "./cluster.ts";
import type { KnownTopic } from "./cluster-log.ts";
import type { Node } from "./node.ts";
import type { Step } from "./step.ts";

export function create(which: number, name: string, partitions: number): Step {
  return async (cluster) => {
    const node = await cluster.someNode(which);
    await createOn(cluster, [node], name, partitions);
  };
}

/** On every node at once: one of them makes it. */
export function createAtOnce(name: string, partitions: number): Step {
  return (cluster) => createOn(cluster, cluster.nodes, name, partitions);
}

async function createOn(
  cluster: Cluster,
  nodes: readonly Node[],
  name: string,
  partitions: number,
): Promise<void> {
  const { sometimes } = cluster.world;
  const creations = nodes.map((node) => node.process.topics.create({ name, partitions }));
  for (const creation of creations) creation.catch(() => undefined);
  const created: Topic[] = [];
  for (const [i, node] of nodes.entries()) {
    const creation = creations[i] as Promise<Topic>;
    const outcome = await cluster.world.until(node.process.life, creation);
    cluster.note(`create ${name} on m${node.machine}`, outcome);
    if (outcome.tag === "ok") created.push(outcome.value);
    if (outcome.tag !== "failed") continue;
    if (isKarstError(outcome.error, "conflict")) {
      if (nodes.length > 1) sometimes.add("creation-lost");
    } else tolerate(outcome.error);
  }
  await cluster.audit();
  cluster.world.invariants.check(
    "F1",
    created.length <= 1,
    () => `${created.length} topics were made ${name}`,
  );
  for (const { topicId } of created)
    cluster.world.invariants.check(
      "O1",
      cluster.topics.has(topicId),
      `topic ${topicId} was made, and is not there`,
    );
  if (created.length > 0) sometimes.add("topic-created");
}

export function remove(which: number, name: string, how: Wait): Step {
  return async (cluster) => {
    const topic = cluster.topics.all.find((one) => one.name === name && one.state !== "deleted");
    if (topic === undefined) return;
    const node = await cluster.someNode(which);
    const before = topic.state;
    topic.state = "deleting";
    let isSaidGone = false;
    const deleted = node.process.topics.delete(topic.topicId).catch((error: unknown) => {
      isSaidGone = isKarstError(error, "not_found");
      if (!isSaidGone) tolerate(error);
      if (isKarstError(error, "unavailable") && topic.state === "deleting") topic.state = before;
    });
    await wait(cluster, node.process, deleted, how);
    await cluster.audit();
    if (isSaidGone) checkGone(cluster, topic);
  };
}

function checkGone(cluster: Cluster, { topicId, state }: KnownTopic): void {
  cluster.world.invariants.check(
    "O1",
    state === "deleted",
    `topic ${topicId} was said to be gone, and is not`,
  );
}

export function takeProducerIds(which: number, count: number): Step {
  return async (cluster) => {
    const node = await cluster.someNode(which);
    const { life, topics } = node.process;
    for (let i = 0; i < count && node.isWell; i += 1) {
      // A new block each time, of which one is used here.
      const outcome = await cluster.world.until(life, topics.allocateProducerIds());
      if (outcome.tag === "failed") tolerate(outcome.error);
      if (outcome.tag !== "ok") return;
      const { first } = outcome.value;
      for (const id of [first, first + outcome.value.count - 1]) cluster.gotProducerId(id);
    }
    const outcome = await cluster.world.until(life, topics.nextProducerId());
    if (outcome.tag === "ok") cluster.gotProducerId(outcome.value);
    if (outcome.tag === "failed") tolerate(outcome.error);
  };
}

/** A process that only has a catalogue makes small commits, from wherever its image stands. */
export function churn(machine: number, commits: number): Step {
  return async (cluster) => {
    const clerk = await someClerk(cluster, machine);
    if (clerk === undefined) return;
    const { life } = clerk.surroundings;
    for (let i = 0; i < commits && !life.isOver; i += 1) {
      const outcome = await cluster.world.until(life, clerk.takeProducerId());
      if (outcome.tag === "failed") tolerate(outcome.error);
      if (outcome.tag !== "ok") return;
      if (outcome.value !== undefined) cluster.gotProducerId(outcome.value);
      cluster.chain.check("a clerk", clerk.catalogue);
    }
  };
}

async function someClerk(cluster: Cluster, machine: number): Promise<Clerk | undefined> {
  const known = cluster.clerks.find(
    ({ surroundings }) =>
      surroundings.machine === cluster.world.machines[machine] && !surroundings.life.isOver,
  );
  if (known !== undefined) return known;
  const surroundings = cluster.world.machines[machine]?.surroundings();
  assert.ok(surroundings !== undefined);
  const outcome = await cluster.world.until(surroundings.life, Clerk.open(surroundings));
  cluster.note("clerk", outcome);
  if (outcome.tag === "failed") tolerate(outcome.error);
  if (outcome.tag !== "ok") {
    surroundings.life.end();
    return undefined;
  }
  cluster.clerks.push(outcome.value);
  return outcome.value;
}

/** A node looks what is new. */
export function refresh(which: number): Step {
  return async (cluster) => {
    const node = await cluster.someNode(which);
    await wait(cluster, node.process, node.process.engine.catalogue.refresh(), "done");
  };
}
