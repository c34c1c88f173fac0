import assert from "node:assert/strict";
import type { Ending } from "../world/machine.ts";
import { capture, tolerate } from "../world/wait.ts";
import { append } from "./appending.ts";
import type { Cluster } from "./cluster.ts";
import { readOn, trimOn } from "./load-steps.ts";
import type { Node } from "./node.ts";
import { held, type Step, type Which } from "./step.ts";

/** Every machine without a process that works opens its node, all at once. */
export const muster: Step = async (cluster) => {
  const machines: number[] = [];
  for (const [machine, { node }] of cluster.seats.entries()) {
    if (node?.isWell === true) continue;
    if (node !== undefined) await cluster.discard(node);
    machines.push(machine);
  }
  await cluster.openAll(machines);
};

/** One more process on a machine: it gets the node, or is refused as the rules have it. */
export function open(machine: number): Step {
  return async (cluster) => void (await cluster.open(machine));
}

/** Ends a node in order: its logs are anybody's. */
export function close(which: number): Step {
  return async (cluster) => {
    const { nodes } = cluster;
    const node = nodes[which % Math.max(1, nodes.length)];
    if (node !== undefined) await closeNode(cluster, node);
  };
}

/** Whether it is closed. */
export async function closeNode(cluster: Cluster, node: Node): Promise<boolean> {
  const { process } = node;
  const closing = process.topics.close().then(() => process.engine.close());
  const outcome = await cluster.world.until(process.life, closing);
  cluster.note(`close m${node.machine}`, outcome);
  if (outcome.tag === "failed") tolerate(outcome.error);
  if (outcome.tag !== "ok") {
    process.life.end();
    return false;
  }
  await settleClosed(cluster, node);
  await cluster.audit();
  cluster.world.invariants.check(
    "F1",
    !cluster.auditor.isOpen(node.nodeId),
    () => `${node.name} is closed, and its node is not`,
  );
  return true;
}

/** Its engine has said that it is closed. */
export async function settleClosed(cluster: Cluster, node: Node): Promise<void> {
  const { process } = node;
  node.observe();
  node.state = "closed";
  cluster.world.sometimes.add("clean-close");
  assert.equal(process.pending, 0, "the engine is closed, and an append still waits");
  await cluster.world.clock.runDeferred();
  for (const { tag, id } of process.attempts)
    cluster.world.invariants.check("F1", tag === "fact", () => `${id} was lost by a clean end`);
  assert.equal(process.memory.reservedBytes, 0, "the engine is closed, and holds memory");
}

export function crash(machine: number, ending: Ending): Step {
  return async ({ world }) => world.machines[machine]?.crash(ending);
}

export function crashAfter(machine: number, calls: number, ending: Ending): Step {
  return async ({ world }) => world.machines[machine]?.crashAfter(calls, ending);
}

/** The machine fails while its node is being closed. */
export function crashClosing(which: number, calls: number, ending: Ending): Step {
  return async (cluster) => {
    const { nodes } = cluster;
    const node = nodes[which % Math.max(1, nodes.length)];
    if (node === undefined) return;
    const machine = cluster.world.machines[node.machine];
    machine?.crashAfter(calls, ending);
    if (!(await closeNode(cluster, node))) cluster.world.sometimes.add("closing-crashed");
  };
}

/** A second process takes a machine's node, while the first goes on, and appends during that time. */
export function zombie(which: number, [name, index]: Which, during: number, bytes: number): Step {
  return async (cluster) => {
    const found = await held(cluster, which, name, index);
    if (found === undefined) return;
    const [log, old] = found;
    const { life, opening } = cluster.begins(old.machine);
    for (let i = 0; i < during; i += 1) {
      const id = `z${cluster.nextSerial()}`;
      if (old.isWell) append(cluster, old, log, { id, count: 1, bytes, gap: 0, timestampMs: 0 });
      await cluster.world.clock.advance(1);
    }
    const outcome = await cluster.world.until(life, opening);
    if (outcome.tag === "ok") cluster.world.sometimes.add("superseded");
    await cluster.adopt(old.machine, outcome);
    await haunt("append", 0)(cluster);
  };
}

/** Processes that have lost their nodes, or closed them, try what they can. */
export function haunt(what: "append" | "upload" | "trim" | "read" | "close", where: number): Step {
  return async (cluster) => {
    const gone = cluster.seats.flatMap(({ node }) => (node?.state === "closed" ? [node] : []));
    for (const ghost of [...cluster.ghosts, ...gone]) await hauntAs(cluster, ghost, what, where);
  };
}

async function hauntAs(
  cluster: Cluster,
  ghost: Node,
  what: "append" | "upload" | "trim" | "read" | "close",
  where: number,
): Promise<void> {
  const { process } = ghost;
  const { clock } = cluster.world;
  if (what === "upload" || what === "close") {
    const empty = process.attempts.length === 0 || ghost.state === "closed";
    const ending = capture(() =>
      what === "upload" ? process.engine.upload() : process.engine.close(),
    );
    const outcome = await cluster.world.until(process.life, ending);
    cluster.note(`haunt ${what}`, outcome);
    if (outcome.tag === "failed") tolerate(outcome.error);
    if (what === "close" && ghost.state === "fenced")
      cluster.world.invariants.check(
        "F3",
        outcome.tag !== "ok" || empty,
        () => `${ghost.name} closed its successor's node`,
      );
    return;
  }
  for (const log of ghost.logs.keys()) {
    if (log.topic.state !== "there") continue;
    if (what === "append") {
      const id = `g${cluster.nextSerial()}`;
      append(cluster, ghost, log, { id, count: 1, bytes: 300, gap: 0, timestampMs: 0 });
      await clock.advance(5);
    } else if (what === "trim") await trimOn(cluster, ghost, log, where, "done");
    else await readOn(cluster, ghost, log, where, 800);
  }
}
