import assert from "node:assert/strict";
import { append } from "./appending.ts";
import type { Cluster } from "./cluster.ts";
import type { ClusterLog } from "./cluster-log.ts";
import type { Node } from "./node.ts";
import { consume, readOn } from "./reading.ts";
import { closeNode } from "./node-steps.ts";

/** After the longest pause between two tries of anything, and the last late effect. */
const RECOVERED_MS = 25_000;
const ROUNDS_MAX = 20;
const CLOSINGS_MAX = 3;
const TAKINGS_MAX = 3;

/**
 * Ends a run: faults stop. Every node that was not closed comes back, on its own disk; every client gets its batches in, once, and
 * every consumer gets to the end; all nodes are closed in order. Then one machine after the other has everything.
 */
export async function finish(cluster: Cluster): Promise<void> {
  const { world } = cluster;
  cluster.world.heal();
  await world.clock.advance(RECOVERED_MS);
  cluster.check();
  for (const machine of cluster.seats.keys()) await cluster.bringUp(machine);
  // A topic that another node has made is known to who has looked since.
  for (const { process } of cluster.nodes)
    await cluster.world.until(process.life, process.engine.catalogue.refresh());
  for (const log of cluster.logs) await quiesce(cluster, log);
  for (const machine of cluster.seats.keys()) await closeAt(cluster, machine);
  await cluster.audit();
  const { openNodes } = cluster.auditor;
  cluster.world.invariants.check(
    "W12",
    openNodes.length === 0,
    () => `${openNodes.join(", ")} stay open`,
  );
  for (const machine of cluster.seats.keys()) await haveAll(cluster, machine);
  await cluster.audit(true);
  cluster.check();
}

/** An opening that failed may have ended the process before it, which hears of it only now: then the node comes back first. */
async function closeAt(cluster: Cluster, machine: number): Promise<void> {
  for (let tries = 0; tries < CLOSINGS_MAX; tries += 1) {
    const open = cluster.nodes.find((node) => node.machine === machine);
    const node = open ?? (tries > 0 ? await cluster.bringUp(machine) : undefined);
    if (node === undefined || (await closeNode(cluster, node))) return;
  }
  assert.fail(`the node of m${machine} does not close`);
}

/** The clients of a log get everything in, and out. */
async function quiesce(cluster: Cluster, log: ClusterLog): Promise<void> {
  let node = await takenBySomebody(cluster, log);
  for (let rounds = 0; node !== undefined && !log.producer.isQuiet; rounds += 1) {
    assert.ok(rounds < ROUNDS_MAX, "a producer does not get its batches in");
    // One that has been fenced may hear of it only by its first sync.
    if (!node.isWell) node = await takenBySomebody(cluster, log);
    else await sendOn(cluster, log, node);
  }
  if (node === undefined) return;
  await consume(cluster.world, log, node, Infinity);
  const { highWatermark } = node.log(log);
  assert.equal(log.position, highWatermark, `a consumer does not get beyond ${log.position}`);
}

async function sendOn(cluster: Cluster, log: ClusterLog, node: Node): Promise<void> {
  log.producer.send(node.process, (draft) => append(cluster, node, log, draft));
  await cluster.world.until(node.process.life, node.process.settled);
  await cluster.world.clock.advance(100);
  cluster.check();
}

/**
 * Who was to take it may hear only then that it has lost its node: then that comes back first. Undefined: its owner is open, and
 * has not been heard of here.
 */
async function takenBySomebody(cluster: Cluster, log: ClusterLog): Promise<Node | undefined> {
  for (let tries = 0; tries < TAKINGS_MAX; tries += 1) {
    await cluster.audit();
    const owner = cluster.auditor.ownerOf(log.streamId);
    // Who took it, and ended before anybody heard of that, has it still.
    const its = cluster.nodes.findIndex((one) => one.nodeId === owner);
    const node = await cluster.holderOf(log, Math.max(its, 0));
    if (node !== undefined) return node;
    for (const machine of cluster.seats.keys()) await cluster.bringUp(machine);
  }
  cluster.world.invariants.check(
    "W12",
    cluster.auditor.isOpen(cluster.auditor.ownerOf(log.streamId)),
    () => `nobody can take ${log.model.name}`,
  );
  return undefined;
}

/** One machine opens its node, takes every log, reads all of it, and closes. */
async function haveAll(cluster: Cluster, machine: number): Promise<void> {
  const node = await cluster.bringUp(machine);
  assert.ok(node !== undefined, "all nodes are closed, and one does not open");
  for (const log of cluster.logs) {
    const open = await cluster.take(log, node);
    cluster.world.invariants.check(
      "W12",
      open !== undefined,
      () => `${log.model.name} is nobody's, and ${node.name} cannot take it`,
    );
    assert.ok(await readOn(cluster, log, node));
    write(cluster, log, node);
  }
  await cluster.world.until(node.process.life, node.process.settled);
  assert.ok(await closeNode(cluster, node), "a node does not close");
  cluster.check();
}

/** So that the next one has something to find that was written elsewhere. */
function write(cluster: Cluster, log: ClusterLog, node: Node): void {
  const draft = { count: 1, bytes: 100, gap: 0, timestampMs: 0 };
  const sent = append(cluster, node, log, { ...draft, id: `n${cluster.nextSerial()}` });
  assert.ok(sent !== undefined, "faults stopped, and an append is refused");
}
